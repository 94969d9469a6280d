using System.Net;

namespace SendProxy.IntegrationTests.Egress;

// Keys of callers and of content, on the real process and a real file.
public class KeyTests
{
    private const string Journal = "journal: { path: keys.db, allowEphemeral: true, minimum: memory }";
    private const string Unkeyed = "idempotency: { carrier: none }, retry: { baseDelay: 5ms }";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SameKey_Again_GetsTheSameAnswerWithoutTheVendor()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);

        using var first = await stage.SendAsync(headers: ("Idempotency-Key", "order-1"));
        using var second = await stage.SendAsync(headers: ("Idempotency-Key", "order-1"));

        Assert.Equal(("true", "0", "yes", "caller"), (
            second.Header("Idempotency-Replayed"), second.Header("SendProxy-Attempts"), second.Header("SendProxy-Sent"), second.Header("SendProxy-Idempotency")));
        Assert.Equal(
            (first.StatusCode, await first.Content.ReadAsStringAsync(Token)), (second.StatusCode, await second.Content.ReadAsStringAsync(Token)));
        Assert.Equal(1, stage.Vendor.Requests.Arrived);
    }

    [Fact]
    public async Task SameKey_OtherBody_IsRefused()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);
        using var first = await stage.SendAsync(headers: ("Idempotency-Key", "order-1"));

        using var other = await stage.SendAsync(EgressStage.Sms.Replace("Hello", "Bye", StringComparison.Ordinal), headers: ("Idempotency-Key", "order-1"));

        await other.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "idempotency_key_reused", "no");
        Assert.Equal(1, stage.Vendor.Requests.Arrived);
    }

    [Fact]
    public async Task SameKey_AtTheSameMoment_HasOneEffectAndEqualAnswers()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ =>
            stage.SendAsync(headers: [("Idempotency-Key", "order-1"), ("X-Sandbox-Fault", "delay;ms=200")])));
        var bodies = await Task.WhenAll(answers.Select(a => a.Content.ReadAsStringAsync(Token)));

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        Assert.Single(bodies.Distinct());
        Assert.Equal(1, stage.Vendor.Requests.Arrived);
    }

    [Fact]
    public async Task SameKey_AfterAKill_IsTakenOverWithTheSameKey()
    {
        await using var stage = await EgressStage.SetAsync(more: Journal);
        var lost = stage.SendAsync(headers: [("Idempotency-Key", "order-1"), ("X-Sandbox-Fault", "delay;ms=1500")]);
        await stage.Vendor.Ledger.ReachAsync(1, Token);
        await stage.Proxy.KillAsync();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => lost);

        await using var next = await ProxyProcess.StartAsync(stage.Folder, Token);
        using var client = new HttpClient { BaseAddress = next.Address("egress") };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sms/send")
        {
            Content = new StringContent(EgressStage.Sms, System.Text.Encoding.UTF8, "application/json"),
            Headers = { { "Idempotency-Key", "order-1" } },
        };
        using var answer = await client.SendAsync(request, Token);

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(1, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task UnkeyedVendor_BrokenSend_IsUnknownAndNeverRepeated()
    {
        await using var stage = await EgressStage.SetAsync(Unkeyed, Journal, vendor: new() { Keys = [EgressStage.Key], Idempotency = new() { Mode = Sandbox.Idempotency.IdempotencyMode.Ignored } });

        using var broken = await stage.SendAsync(headers: [("Idempotency-Key", "order-1"), ("X-Sandbox-Fault", "accept-drop")]);
        using var again = await stage.SendAsync(headers: ("Idempotency-Key", "order-1"));

        await broken.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "upstream_broken", "maybe");
        await again.AssertProblemAsync(HttpStatusCode.Conflict, "outcome_unknown", "maybe");
        Assert.Equal(1, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task UnkeyedVendor_NoJournal_RefusesAKeyItCannotKeep()
    {
        await using var stage = await EgressStage.SetAsync(Unkeyed);

        using var answer = await stage.SendAsync(headers: ("Idempotency-Key", "order-1"));

        await answer.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "idempotency_store_unavailable", "no");
        Assert.Equal(0, stage.Vendor.Requests.Arrived);
    }

    [Fact]
    public async Task KeyedVendor_NoJournal_GoesOnAndSaysWhoDeduplicates()
    {
        await using var stage = await EgressStage.SetAsync();

        using var answer = await stage.SendAsync(headers: ("Idempotency-Key", "order-1"));

        Assert.Equal((HttpStatusCode.Accepted, "vendor"), (answer.StatusCode, answer.Header("SendProxy-Idempotency")));
    }

    [Fact]
    public async Task Derive_SameContent_IsOneMessage()
    {
        await using var stage = await EgressStage.SetAsync(
            more: Journal + "\nroutes: [{ name: sms, upstream: sendapi, match: { path: /v1/sms/send }, idempotency: { derive: content, window: 24h } }]");

        using var first = await stage.SendAsync();
        using var second = await stage.SendAsync();
        using var other = await stage.SendAsync(EgressStage.Sms.Replace("Hello", "Bye", StringComparison.Ordinal));

        Assert.Equal(("derived", "true"), (second.Header("SendProxy-Idempotency"), second.Header("Idempotency-Replayed")));
        Assert.Equal(2, stage.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task Require_NoKey_IsRefused()
    {
        await using var stage = await EgressStage.SetAsync(
            more: "routes: [{ name: sms, upstream: sendapi, match: { path: /v1/sms/send }, idempotency: { require: true } }]");

        using var answer = await stage.SendAsync();

        await answer.AssertProblemAsync(HttpStatusCode.BadRequest, "idempotency_key_missing", "no");
    }
}
