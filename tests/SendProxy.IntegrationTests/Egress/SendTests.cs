using System.Net;

namespace SendProxy.IntegrationTests.Egress;

// The main way: what an application sends arrives once, with the key, whatever happens on the way.
public class SendTests
{
    [Fact]
    public async Task Send_Plain_ArrivesOnceWithTheKey()
    {
        await using var stage = await EgressStage.SetAsync(more: "limits: { plan: { rate: 100/s } }");

        using var answer = await stage.SendAsync();

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var effect = Assert.Single(stage.Vendor.Ledger.Read());
        Assert.Equal(answer.Header("Idempotency-Key"), effect.IdempotencyKey);
        Assert.Equal(("1", "generated", "yes", "local"), (
            answer.Header("SendProxy-Attempts"), answer.Header("SendProxy-Idempotency"), answer.Header("SendProxy-Sent"), answer.Header("SendProxy-Limiter")));
    }

    [Fact]
    public async Task Send_FiveBrokenAfterTheEffect_GivesFiveEffects()
    {
        await using var stage = await EgressStage.SetAsync();

        for (var i = 0; i < 5; i++)
        {
            using var answer = await stage.SendAsync(headers: ("X-Sandbox-Fault", "accept-drop"));
            Assert.Equal((HttpStatusCode.Accepted, "2"), (answer.StatusCode, answer.Header("SendProxy-Attempts")));
        }

        Assert.Equal(5, stage.Vendor.Ledger.Effects);
        Assert.Equal(10, stage.Vendor.Requests.Arrived);
    }

    [Theory]
    [InlineData("drop-before")]
    [InlineData("drop-unread")]
    [InlineData("error-before")]
    [InlineData("error-after")]
    [InlineData("partial-body")]
    [InlineData("unavailable;retry_after=1")]
    [InlineData("bad-gateway")]
    [InlineData("rate-limited;retry_after=1")]
    [InlineData("rate-limited-bare")]
    [InlineData("rate-limited-malformed")]
    public async Task Send_OneAccident_IsRepeatedToOneEffect(string fault)
    {
        await using var stage = await EgressStage.SetAsync();

        using var answer = await stage.SendAsync(headers: ("X-Sandbox-Fault", fault));

        Assert.Equal((HttpStatusCode.Accepted, "2"), (answer.StatusCode, answer.Header("SendProxy-Attempts")));
        Assert.Equal(1, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task Send_AlwaysBroken_SaysMaybe()
    {
        await using var stage = await EgressStage.SetAsync("retry: { attempts: 3, baseDelay: 1ms }");

        using var answer = await stage.SendAsync(headers: ("X-Sandbox-Fault", "accept-drop;times=all"));

        await answer.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "upstream_broken", "maybe");
        Assert.Equal("3", answer.Header("SendProxy-Attempts"));
        Assert.Equal(1, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task Send_NobodyListens_SaysNotSent()
    {
        await using var stage = await EgressStage.SetAsync("retry: { attempts: 2, baseDelay: 1ms }");
        await stage.Vendor.DisposeAsync();

        using var answer = await stage.SendAsync();

        await answer.AssertProblemAsync(HttpStatusCode.BadGateway, "upstream_unreachable", "no");
    }

    [Fact]
    public async Task Send_SlowVendor_EndsAtTheTimeout()
    {
        await using var stage = await EgressStage.SetAsync("timeouts: { attempt: 1s, total: 2s }, retry: { attempts: 1 }");

        using var answer = await stage.SendAsync(headers: ("X-Sandbox-Fault", "delay;ms=5000;times=all"));

        await answer.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "upstream_timed_out", "maybe");
    }

    [Fact]
    public async Task Send_HintBeyondTheDeadline_EndsWithATrueRetryAfter()
    {
        await using var stage = await EgressStage.SetAsync("timeouts: { attempt: 1s, total: 2s }");

        using var answer = await stage.SendAsync(headers: ("X-Sandbox-Fault", "rate-limited;retry_after=60"));

        Assert.Equal((HttpStatusCode.TooManyRequests, "1", "60"), (answer.StatusCode, answer.Header("SendProxy-Attempts"), answer.Header("Retry-After")));
        Assert.Equal(0, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task Send_FinalRefusal_IsPassedOnAtOnce()
    {
        await using var stage = await EgressStage.SetAsync();

        using var answer = await stage.SendAsync(headers: ("X-Sandbox-Fault", "quota-exceeded"));

        Assert.Equal((HttpStatusCode.TooManyRequests, "1", ""), (answer.StatusCode, answer.Header("SendProxy-Attempts"), answer.Header("SendProxy-Error")));
        Assert.Equal(1, stage.Vendor.Requests.Arrived);
    }

    [Fact]
    public async Task Send_CallersKey_IsKept()
    {
        await using var stage = await EgressStage.SetAsync();

        using var answer = await stage.SendAsync(headers: ("Idempotency-Key", "order-42"));

        Assert.Equal(("vendor", "order-42"), (answer.Header("SendProxy-Idempotency"), answer.Header("Idempotency-Key")));
        Assert.Equal("order-42", Assert.Single(stage.Vendor.Ledger.Read()).IdempotencyKey);
    }

    [Fact]
    public async Task Send_HeadersOfTheCaller_AreFiltered()
    {
        await using var stage = await EgressStage.SetAsync();

        using var answer = await stage.SendAsync(headers:
            [("Cookie", "a=b"), ("X-Forwarded-For", "1.2.3.4"), ("Via", "1.1 x"), ("X-Own", "1"), ("SendProxy-Timeout", "5s"), ("Priority", "u=1"),
            ("Connection", "X-Hop"), ("X-Hop", "1"), ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]);

        var names = Assert.Single(stage.Vendor.Requests.Read()).Headers.Select(h => h.ToLowerInvariant()).ToArray();
        Assert.Subset(names.ToHashSet(), new HashSet<string> { "x-own", "traceparent", "authorization", "idempotency-key", "accept-encoding", "content-type", "content-length" });
        Assert.All(new[] { "cookie", "x-forwarded-for", "via", "x-hop", "sendproxy-timeout", "priority" }, name => Assert.DoesNotContain(name, names));
    }

    [Fact]
    public async Task Get_Message_IsPassedOnWithoutAKeyOfItsOwn()
    {
        await using var stage = await EgressStage.SetAsync();
        using var sent = await stage.SendAsync();
        var id = Assert.Single(stage.Vendor.Ledger.Read()).MessageId;

        using var answer = await stage.RequestAsync(HttpMethod.Get, $"/v1/messages/{id}", null);

        Assert.Equal((HttpStatusCode.OK, ""), (answer.StatusCode, answer.Header("Idempotency-Key")));
        Assert.Contains(id, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_LargeBody_IsRefusedBeyondTheBound()
    {
        await using var stage = await EgressStage.SetAsync(upstream: "routes: [{ name: sms, maxStreamedBody: 0B }]");
        var body = $$"""{"to":"+491701234567","from":"Shop","text":"{{new string('a', 1 << 20)}}"}""";

        using var answer = await stage.SendAsync(body);

        await answer.AssertProblemAsync(HttpStatusCode.RequestEntityTooLarge, "body_too_large", "no");
        Assert.Equal(0, stage.Vendor.Requests.Arrived);
    }

    [Fact]
    public async Task Send_OverThePlan_IsPacedWithoutA429()
    {
        await using var stage = await EgressStage.SetAsync(
            // The vendor's tolerance is wide: the exact bound is tested on simulated time, here a busy machine may bunch.
            more: "limits: { plan: { rate: 20/s } }",
            vendor: new() { Keys = [EgressStage.Key], Limits = [new() { Kind = Sandbox.Limits.LimitKind.TokenBucket, Requests = 20, Burst = 15 }] });

        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => stage.SendAsync()));

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        Assert.DoesNotContain(stage.Vendor.Requests.Read(), r => r.Status == 429);
    }

    [Fact]
    public async Task Send_WaitThatDoesNotFit_IsRefusedWithRetryAfter()
    {
        await using var stage = await EgressStage.SetAsync(more: "limits: { plan: { rate: 1/h } }");
        using var first = await stage.SendAsync();

        using var answer = await stage.SendAsync();

        var problem = await answer.AssertProblemAsync(HttpStatusCode.TooManyRequests, "rate_limited", "no");
        Assert.Contains("limits.plan (1/h)", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.InRange(problem.GetProperty("retryAfterSeconds").GetDouble(), 3500, 3700);
        Assert.NotEqual("", answer.Header("Retry-After"));
    }
}
