using System.Globalization;
using System.Net;
using System.Text.Json;
using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Limits;
using SendProxy.Sandbox.Server;

namespace SendProxy.IntegrationTests.Egress;

/// <summary>Limits as an application and an operator meet them.</summary>
public class LimitTests
{
    private const string Other = """{"to":"+491709999999","from":"Shop","text":"Hello"}""";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Per_EachValue_HasItsOwnLimit()
    {
        await using var stage = await EgressStage.SetAsync(more: "limits: { pair: { rate: 1/h, per: /to } }");
        using var first = await stage.SendAsync();
        using var again = await stage.SendAsync();
        using var other = await stage.SendAsync(Other);
        using var nobody = await stage.SendAsync("""{"from":"Shop","text":"Hello"}""");

        Assert.Equal(
            [HttpStatusCode.Accepted, HttpStatusCode.TooManyRequests, HttpStatusCode.Accepted, HttpStatusCode.UnprocessableEntity],
            new[] { first, again, other, nobody }.Select(a => a.StatusCode));
        Assert.Equal(("rate_limited", "no"), (again.Header("SendProxy-Error"), again.Header("SendProxy-Sent")));
        Assert.InRange(again.Headers.RetryAfter!.Delta!.Value.TotalMinutes, 50, 61);
        Assert.DoesNotContain("1701234567", await again.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        Assert.Equal("body_invalid", nobody.Header("SendProxy-Error"));
    }

    [Fact]
    public async Task Cost_OfRecipients_IsTakenOfTheLimitAtOnce()
    {
        await using var vendor = await Destination.StartAsync(Token);
        using var folder = new ProxyFolder().Write("key", EgressStage.Key).Configure(EgressStage.Config(vendor.Address, "", """
            limits: { plan: { rate: 20/h, counts: bucket, burst: 20 } }
            routes: [{ name: list, upstream: sendapi, match: { path: /v1/list }, limits: [plan], recipient: "/to/*", cost: recipients }]
            """));
        await using var proxy = await ProxyProcess.StartAsync(folder, Token);
        using var client = new HttpClient { BaseAddress = proxy.Address("egress") };

        using var one = await SendAsync(1);
        using var five = await SendAsync(5);
        using var many = await SendAsync(15);

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (one.StatusCode, five.StatusCode));
        Assert.Equal(5, Left(one) - Left(five));
        Assert.Equal("rate_limited", many.Header("SendProxy-Error"));

        Task<HttpResponseMessage> SendAsync(int recipients) => client.PostAsync(
            new Uri("/v1/list", UriKind.Relative),
            new StringContent(JsonSerializer.Serialize(new { to = Enumerable.Range(0, recipients).Select(i => $"+4917012345{i:00}") }), System.Text.Encoding.UTF8, "application/json"),
            Token);
    }

    [Fact]
    public async Task Answers_TellTheApplicationWhatIsLeft()
    {
        await using var stage = await EgressStage.SetAsync(more: "limits: { plan: { rate: 600/min } }");
        using var first = await stage.SendAsync();
        using var second = await stage.SendAsync();

        Assert.Equal("\"plan\";q=600;w=60", second.Header("RateLimit-Policy"));
        Assert.InRange(Left(second), 1, Left(first));
        Assert.Equal("local", second.Header("SendProxy-Limiter"));
    }

    // Resets by the Date are told to two seconds: a bucket that fills at one a second shows itself once some twelve are used.
    [Theory]
    [InlineData(LimitKind.TokenBucket, true)]
    [InlineData(LimitKind.FixedWindow, false)]
    [InlineData(LimitKind.SlidingWindow, false)]
    public async Task CountsAuto_Bucket_IsSeenInItsHeaders(object kind, bool seen)
    {
        var vendor = new SandboxOptions
        {
            Keys = [EgressStage.Key],
            Limits = [new() { Kind = (LimitKind)kind, Requests = 3600, Window = TimeSpan.FromHours(1), Burst = 1000 }],
            RateHeaders = new RateHeaderOptions { Reset = ResetForm.UnixMs },
        };
        await using var stage = await EgressStage.SetAsync(more: "limits: { plan: { rate: 3600/h, counts: auto } }", vendor: vendor);
        for (var i = 0; i < 30; i++)
        {
            using var sent = await stage.SendAsync();
            Assert.Equal(HttpStatusCode.Accepted, sent.StatusCode);
        }

        var (_, text) = await RunAsync(stage.Folder, "limits");
        var page = await stage.MetricsAsync();

        Assert.Equal(seen, text.Contains("(a bucket of 1000, by its headers)", StringComparison.Ordinal));
        Assert.Equal(seen, page.Contains("sendproxy_limit_findings_total{limit=\"plan\",kind=\"form\",applied=\"true\"} 1\n", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Lanes_OfOnesOwn_AreTakenByRouteAndPriority()
    {
        await using var stage = await EgressStage.SetAsync(more: """
            limits: { plan: { rate: 100/s } }
            lanes: { now: { urgency: 0-4 }, later: { urgency: 5-7, share: 10% } }
            """);
        using var usual = await stage.SendAsync();
        using var late = await stage.SendAsync(EgressStage.Sms, "sms", ("Priority", "u=6"));
        var page = await stage.MetricsAsync();

        Assert.Matches("sendproxy_limit_permits_total\\{limit=\"plan\",lane=\"now\",mode=\"local\"\\} 1\n", page);
        Assert.Matches("sendproxy_limit_permits_total\\{limit=\"plan\",lane=\"later\",mode=\"local\"\\} 1\n", page);
    }

    [Fact]
    public async Task Limits_Command_ShowsWhatIsKeptTo()
    {
        await using var stage = await EgressStage.SetAsync(more: "limits: { plan: { rate: 100/s, counts: bucket, burst: 40 }, pair: { rate: 10/min, per: /to } }");
        using var sent = await stage.SendAsync();
        var (code, json) = await RunAsync(stage.Folder, "limits", "--output", "json");
        var (_, text) = await RunAsync(stage.Folder, "limits");

        Assert.Equal(0, code);
        using var document = JsonDocument.Parse(json);
        var limits = document.RootElement.GetProperty("limits").EnumerateArray().ToArray();
        Assert.Equal([("plan", "100/s", 1), ("pair", "10/min for each /to", 1)], limits.Select(l => (
            l.GetProperty("limit").GetString(), l.GetProperty("plan").GetString(), l.GetProperty("used").GetInt32())));
        Assert.Contains("LIMIT", text, StringComparison.Ordinal);
        Assert.Contains("MODE", text, StringComparison.Ordinal);
        Assert.Contains(" local ", text, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output)> RunAsync(ProxyFolder folder, params string[] arguments)
    {
        await using var command = ProxyProcess.Launch(folder, arguments);
        var code = await command.WaitForExitAsync(Token);
        return (code, string.Join('\n', command.Output));
    }

    private static int Left(HttpResponseMessage answer) =>
        int.Parse(answer.Header("RateLimit").Split("r=")[1].Split(';')[0], CultureInfo.InvariantCulture);
}
