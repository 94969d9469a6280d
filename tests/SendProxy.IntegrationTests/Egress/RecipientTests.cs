using System.Net;
using System.Text;

namespace SendProxy.IntegrationTests.Egress;

// Against SMS pumping: what a compromised application can send to whom is the route's to say.
public class RecipientTests
{
    [Fact]
    public async Task Send_NumberNotAllowed_IsRefusedInAnySpelling()
    {
        await using var stage = await StageAsync("allow: ['+49', '+43']");

        using var good = await stage.SendAsync(Sms("0049 170 1234567"));
        using var bad = await stage.SendAsync(Sms("+44 7700 900123"));
        using var hidden = await stage.SendAsync(Sms("\\u002b447700900123"));

        Assert.Equal("", good.Header("SendProxy-Error"));
        await bad.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "recipient_not_allowed", "no");
        await hidden.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "recipient_not_allowed", "no");
        Assert.Equal(1, stage.Vendor.Requests.Arrived);
    }

    [Theory]
    [InlineData("""{"to":"+491701234567","to":"+447700900123"}""", "body_invalid")]
    [InlineData("""{"to":"+491701234567","TO":"+447700900123"}""", "body_invalid")]
    [InlineData("""{"to":["+491701234567"]}""", "body_invalid")]
    [InlineData("""{"to":"+491701234567,+447700900123"}""", "body_invalid")]
    [InlineData("""{"text":"Hello"}""", "body_invalid")]
    [InlineData("to=%2B491701234567", "body_invalid")]
    public async Task Send_BodyWithNoSingleMeaning_IsRefusedWithoutTheValue(string body, string code)
    {
        await using var stage = await StageAsync("allow: ['+49']");

        using var answer = await stage.SendAsync(body);

        var problem = await answer.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, code, "no");
        Assert.DoesNotContain("4917", problem.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(0, stage.Vendor.Requests.Arrived);
    }

    [Fact]
    public async Task Send_FormBody_IsNotSupported()
    {
        await using var stage = await StageAsync("allow: ['+49']");
        using var form = new StringContent(EgressStage.Sms, Encoding.UTF8, "application/x-www-form-urlencoded");

        using var answer = await stage.Client.PostAsync(new Uri("/v1/sms/send", UriKind.Relative), form, TestContext.Current.CancellationToken);

        await answer.AssertProblemAsync(HttpStatusCode.UnsupportedMediaType, "body_type_unsupported", "no");
    }

    [Fact]
    public async Task Send_OverARecipientsBound_IsRefusedWithRetryAfterAndNamesNobody()
    {
        await using var stage = await StageAsync("perRecipient: 2/h, perPrefix: 3/h");

        using var refused = await stage.SendAsync(Sms("+49 170 1234567"));
        using var one = await stage.SendAsync(Sms("+491701234567"));
        using var two = await stage.SendAsync(Sms("+491701234567"));
        using var three = await stage.SendAsync(Sms("00491701234567"));
        using var other = await stage.SendAsync(Sms("+491701234568"));
        using var range = await stage.SendAsync(Sms("+491701234569"));
        using var elsewhere = await stage.SendAsync(Sms("+491601234569"));

        // The vendor takes one spelling only. What it refused did not go out, and does not count.
        Assert.Equal((HttpStatusCode.BadRequest, "no"), (refused.StatusCode, refused.Header("SendProxy-Sent")));
        Assert.All([one, two, other, elsewhere], a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        var problem = await three.AssertProblemAsync(HttpStatusCode.TooManyRequests, "recipient_limited", "no");
        Assert.Contains("perRecipient (2/h)", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.InRange(three.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromMinutes(58), TimeSpan.FromHours(1));
        await range.AssertProblemAsync(HttpStatusCode.TooManyRequests, "recipient_limited", "no");
        Assert.Equal((5L, 4L), (stage.Vendor.Requests.Arrived, stage.Vendor.Ledger.Effects));
        var metrics = await stage.MetricsAsync();
        Assert.Contains("sendproxy_recipient_refusals_total{route=\"sms\",reason=\"per_recipient\"} 1", metrics, StringComparison.Ordinal);
        Assert.Contains("sendproxy_recipient_refusals_total{route=\"sms\",reason=\"per_prefix\"} 1", metrics, StringComparison.Ordinal);

        var lines = await stage.Proxy.WaitForLinesAsync(7, l => l.Contains("\"event\":\"request\"", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        Assert.Equal(5, lines.Count(l => l.Contains("\"recipient\":\"", StringComparison.Ordinal)));
        Assert.DoesNotContain(stage.Proxy.Output, l => l.Contains("1701234", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Send_ThatDidNotGoOut_IsNotCounted()
    {
        await using var stage = await StageAsync("perRecipient: 1/h", key: null);

        using var first = await stage.SendAsync();
        using var second = await stage.SendAsync();

        await first.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "credential_unavailable", "no");
        await second.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "credential_unavailable", "no");
    }

    [Fact]
    public async Task Send_SeveralAddresses_AreAllOrNone()
    {
        await using var stage = await StageAsync("allow: ['@bücher.example', '@example.com']", "email", "[/to/*, /cc/*]");

        using var good = await stage.SendAsync(Email("a@BÜCHER.example", "b@example.com"), "email");
        using var bad = await stage.SendAsync(Email("a@example.com", "a@evil.example"), "email");
        using var copy = await stage.SendAsync(Email("a@example.com").Replace("\"subject\"", "\"cc\":[\"a@evil.example\"],\"subject\"", StringComparison.Ordinal), "email");

        Assert.Equal(HttpStatusCode.Accepted, good.StatusCode);
        await bad.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "recipient_not_allowed", "no");
        await copy.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "recipient_not_allowed", "no");
    }

    [Fact]
    public async Task Reload_OfAnotherSetting_KeepsTheCounts()
    {
        await using var stage = await StageAsync("perRecipient: 1/h");
        using var one = await stage.SendAsync();

        stage.Folder.Configure(File.ReadAllText(stage.Folder.ConfigPath) + "process: { maxInFlight: 100 }\n");
        await stage.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"Applied\"", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        using var two = await stage.SendAsync();

        Assert.Equal(HttpStatusCode.Accepted, one.StatusCode);
        await two.AssertProblemAsync(HttpStatusCode.TooManyRequests, "recipient_limited", "no");
    }

    // The preset knows where recipients stand, but nobody asked: its routes take any body.
    [Fact]
    public async Task Send_NoRecipientsAsked_BodyIsNotRead()
    {
        await using var stage = await EgressStage.SetAsync();

        using var answer = await stage.SendAsync("""{"to":"+491701234567","from":"Shop","text":"Hello","to":"+491701234567"}""");

        Assert.Equal("", answer.Header("SendProxy-Error"));
        Assert.Equal(1, stage.Vendor.Requests.Arrived);
    }

    private static string Sms(string to) => $$"""{"to":"{{to}}","from":"Shop","text":"Hello"}""";

    private static string Email(params string[] to) =>
        $$"""{"from":"Shop <no-reply@example.com>","to":[{{string.Join(',', to.Select(t => $"\"{t}\""))}}],"subject":"Hello","text":"Hello"}""";

    private static Task<EgressStage> StageAsync(string recipients, string channel = "sms", string field = "/to", string? key = EgressStage.Key) => EgressStage.SetAsync(
        more: $"routes: [{{ name: {channel}, upstream: sendapi, match: {{ path: /v1/{channel}/send }}, recipient: {field}, recipients: {{ {recipients} }} }}]",
        key: key);
}
