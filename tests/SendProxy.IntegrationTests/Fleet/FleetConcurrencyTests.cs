using System.Net;
using SendProxy.IntegrationTests.Egress;
using SendProxy.Sandbox.Limits;
using SendProxy.Sandbox.Server;

namespace SendProxy.IntegrationTests.Fleet;

// So many at once over two processes: the vendor refuses one more.
public class FleetConcurrencyTests
{
    private const string More = "\nlimits: { plan: { concurrent: 3, maxWait: 60s, learn: \"false\" } }";

    private const string Upstream = "retry: { attempts: 1 }, timeouts: { attempt: 50s, total: 60s }";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Concurrent_TwoProxies_NeverExceedTheLimitAndUseAllOfIt()
    {
        await using var fleet = await FleetStage.SetAsync([Upstream, Upstream], vendor: Vendor(3), more: More);

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => fleet.SendAsync(i % 2, $"order-{i}", "delay;ms=60")));

        Assert.All(answers, a => Assert.Equal((HttpStatusCode.Accepted, "1"), (a.StatusCode, a.Header("SendProxy-Attempts"))));
        Assert.Equal(40, fleet.Vendor.Requests.Arrived);
    }

    [Fact]
    public async Task Concurrent_SlowAnswers_AreThreeAtOnce()
    {
        await using var fleet = await FleetStage.SetAsync([Upstream, Upstream], vendor: Vendor(100), more: More);

        var sends = Enumerable.Range(0, 8).Select(i => fleet.SendAsync(i % 2, $"order-{i}", "delay;ms=5000")).ToArray();
        await fleet.Vendor.Requests.ReachAsync(3, Token);
        var (arrived, ended) = (fleet.Vendor.Requests.Arrived, sends.Count(s => s.IsCompleted));

        // The third came while the first two were there.
        Assert.Equal((3, 0), (arrived, ended));
        Assert.All(await Task.WhenAll(sends), a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
    }

    [Fact]
    public async Task Concurrent_HolderKilled_ItsSlotsComeFree()
    {
        await using var fleet = await FleetStage.SetAsync([Upstream, Upstream], vendor: Vendor(100), more: More);
        var lost = Enumerable.Range(0, 3).Select(i => fleet.SendAsync(0, $"lost-{i}", "delay;ms=40000")).ToArray();
        await fleet.Vendor.Requests.ReachAsync(3, Token);

        await fleet.Proxy(0).KillAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => fleet.SendAsync(1, $"order-{i}")));

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        foreach (var send in lost)
        {
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => send);
        }
    }

    private static SandboxOptions Vendor(int concurrent) =>
        new() { Keys = [EgressStage.Key], Limits = [new LimitOptions { Kind = LimitKind.Concurrency, Requests = concurrent }] };
}
