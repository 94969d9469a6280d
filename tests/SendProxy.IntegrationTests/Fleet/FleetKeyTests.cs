using System.Net;
using SendProxy.IntegrationTests.Egress;
using SendProxy.Sandbox.Idempotency;
using SendProxy.Sandbox.Server;

namespace SendProxy.IntegrationTests.Fleet;

// Keys that two processes share over one Redis: paused, emptied, gone; and a process that is killed.
public class FleetKeyTests
{
    private const string Quick = "retry: { baseDelay: 5ms }";
    private const string Unkeyed = "idempotency: { carrier: none }, retry: { baseDelay: 5ms }";
    private static readonly SandboxOptions Forgetful = new() { Keys = [EgressStage.Key], Idempotency = new() { Mode = IdempotencyMode.Ignored } };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task SameKey_TwoProxiesAtTheSameMoment_HasOneEffectAndEqualAnswers()
    {
        await using var fleet = await FleetStage.SetAsync([Quick, Quick]);

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => fleet.SendAsync(i % 2, "order-1", "delay;ms=300")));
        var bodies = await Task.WhenAll(answers.Select(a => a.Content.ReadAsStringAsync(Token)));

        Assert.All(answers, a => Assert.Equal((HttpStatusCode.Accepted, "caller"), (a.StatusCode, a.Header("SendProxy-Idempotency"))));
        Assert.Single(bodies.Distinct());
        Assert.Equal(39, answers.Count(a => a.Header("Idempotency-Replayed") == "true"));
        Assert.Equal(1, fleet.Vendor.Requests.Arrived);
    }

    [Fact]
    public async Task SameKey_VendorThatDoesNotDeduplicate_HasOneEffect()
    {
        await using var fleet = await FleetStage.SetAsync([Unkeyed, Unkeyed], vendor: Forgetful);

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => fleet.SendAsync(i % 2, "order-1", "delay;ms=300")));

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        Assert.Equal(1, fleet.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task Owner_Killed_IsTakenOverByTheOtherProxyWithTheSameKey()
    {
        await using var fleet = await FleetStage.SetAsync([$"timeouts: {{ attempt: 2s, total: 2s }}, {Quick}", Quick]);
        var lost = fleet.SendAsync(0, "order-1", "delay;ms=1500");
        await fleet.Vendor.Ledger.ReachAsync(1, Token);
        var twin = fleet.SendAsync(1, "order-1");

        await fleet.Proxy(0).KillAsync();

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => lost);
        using var answer = await twin;
        Assert.Equal((HttpStatusCode.Accepted, "1"), (answer.StatusCode, answer.Header("SendProxy-Attempts")));
        Assert.Equal(1, fleet.Vendor.Ledger.Effects);
        Assert.Equal(2, fleet.Vendor.Requests.Arrived);
    }

    // The first call is carried out and its answer is lost; by the refusal of the second nothing is decided, so the third asks again.
    [Fact]
    public async Task RefusalAfterAnAttemptThatMayHaveBeenSent_IsNotKept()
    {
        await using var fleet = await FleetStage.SetAsync(["retry: { attempts: 1 }"]);

        using var lost = await fleet.SendAsync(0, "order-1", "accept-drop");
        using var refused = await fleet.SendAsync(0, "order-1", "opted-out");
        using var settled = await fleet.SendAsync(0, "order-1");

        Assert.Equal("maybe", lost.Header("SendProxy-Sent"));
        Assert.Equal((422, "maybe"), ((int)refused.StatusCode, refused.Header("SendProxy-Sent")));
        Assert.Equal((HttpStatusCode.Accepted, "yes"), (settled.StatusCode, settled.Header("SendProxy-Sent")));
        Assert.Equal(1, fleet.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task Owner_KilledBeforeAVendorThatDoesNotDeduplicate_LeavesAnUnknownOutcome()
    {
        await using var fleet = await FleetStage.SetAsync([$"timeouts: {{ attempt: 2s, total: 2s }}, {Unkeyed}", Unkeyed], vendor: Forgetful);
        var lost = fleet.SendAsync(0, "order-1", "delay;ms=1500");
        await fleet.Vendor.Ledger.ReachAsync(1, Token);

        await fleet.Proxy(0).KillAsync();

        await Assert.ThrowsAnyAsync<HttpRequestException>(() => lost);
        using var answer = await fleet.SendAsync(1, "order-1");
        await answer.AssertProblemAsync(HttpStatusCode.Conflict, "outcome_unknown", "maybe");
        Assert.Equal(1, fleet.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task Redis_PausedAndEmptiedInTheMiddle_FailsNoSendOfADeduplicatingVendor()
    {
        await using var fleet = await FleetStage.SetAsync([Quick, Quick], callTimeout: "50ms");
        var answers = new List<HttpResponseMessage>();
        async Task RoundAsync(string name) => answers.AddRange(await Task.WhenAll(
            Enumerable.Range(0, 20).Select(i => fleet.SendAsync(i % 2, $"{name}-{i / 2}"))));

        await RoundAsync("before");
        fleet.Redis.Pause();
        await RoundAsync("paused");
        fleet.Redis.Resume();
        await fleet.Redis.EmptyAsync();
        await RoundAsync("before");
        await RoundAsync("paused");

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        Assert.All(answers[20..40], a => Assert.Equal("vendor", a.Header("SendProxy-Idempotency")));
        Assert.Equal(20, fleet.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task Redis_PausedWhenTheAnswerComes_IsToldAfterwardsSoThatNoTwinWaitsForALease()
    {
        await using var fleet = await FleetStage.SetAsync([Quick, Quick]);
        var first = fleet.SendAsync(0, "order-1", "delay;ms=1000");
        await fleet.Vendor.Ledger.ReachAsync(1, Token);
        fleet.Redis.Pause();
        using var answer = await first;
        await fleet.Proxy(0).WaitForLineAsync(l => l.Contains("Redis is away", StringComparison.Ordinal), Token);
        fleet.Redis.Resume();

        using var twin = await fleet.SendAsync(1, "order-1");

        Assert.Equal((HttpStatusCode.Accepted, "true", "0"), (twin.StatusCode, twin.Header("Idempotency-Replayed"), twin.Header("SendProxy-Attempts")));
        Assert.Equal(1, fleet.Vendor.Requests.Arrived);
    }

    [Fact]
    public async Task Redis_Away_RefusesAKeyThatOnlyItCouldKeepAndHeals()
    {
        await using var fleet = await FleetStage.SetAsync([Unkeyed], vendor: Forgetful);
        fleet.Redis.Pause();

        using var refused = await fleet.SendAsync(0, "order-1");
        var healed = fleet.Proxy(0).WaitForLinesAsync(2, l => l.Contains("Redis answers", StringComparison.Ordinal), Token);
        fleet.Redis.Resume();
        await healed;
        using var sent = await fleet.SendAsync(0, "order-1");

        await refused.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "idempotency_store_unavailable", "maybe");
        Assert.Equal(HttpStatusCode.Accepted, sent.StatusCode);
        Assert.Equal(1, fleet.Vendor.Ledger.Effects);
    }

    [Fact]
    public async Task Redis_NeverThere_KeepsNobodyFromStartingAndSending()
    {
        await using var stage = await EgressStage.SetAsync(
            more: FleetStage.Fleet("127.0.0.1:1", "50ms"), prepare: f => f.Write("seal", new string('a', 64)));

        using var answer = await stage.SendAsync(headers: ("Idempotency-Key", "order-1"));

        Assert.Equal((HttpStatusCode.Accepted, "vendor"), (answer.StatusCode, answer.Header("SendProxy-Idempotency")));
    }

    [Fact]
    public async Task SealKey_Missing_StopsTheStartWithItsPath()
    {
        using var folder = new ProxyFolder().Configure(EgressStage.Config(new Uri("http://127.0.0.1:1"), more: FleetStage.Fleet("127.0.0.1:1", "50ms")));
        await using var proxy = ProxyProcess.Launch(folder, "serve");

        Assert.Equal(1, await proxy.WaitForExitAsync(Token));
        Assert.Contains(proxy.Output, l => l.Contains($"{folder.Path}/seal", StringComparison.Ordinal));
    }
}
