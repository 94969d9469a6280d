using System.Net;
using SendProxy.IntegrationTests.Egress;
using SendProxy.Sandbox.Limits;
using SendProxy.Sandbox.Server;
using SendProxy.Tests.Redis;

namespace SendProxy.IntegrationTests.Fleet;

/// <summary>Quotas and limits of so many at once, over two real proxies.</summary>
public class FleetLimitTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Concurrent_OverTwoProxies_IsKeptAndUsed()
    {
        await using var fleet = await SlowAsync(3);

        var answers = await SendAsync(fleet, 30);

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        Assert.DoesNotContain(fleet.Vendor.Requests.Read(), r => r.Status == 429);
        Assert.Equal(3, MostAtOnce(fleet));
    }

    [Fact]
    public async Task Concurrent_ProxyKilledWithItsSlots_TheOtherGetsThem()
    {
        await using var fleet = await SlowAsync(3);
        var lost = Task.WhenAll(Enumerable.Range(0, 6).Select(i => fleet.SendAsync(0, $"lost-{i}")));
        await fleet.Vendor.Requests.ReachAsync(2, Token);
        await fleet.Proxy(0).KillAsync();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => lost);

        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => fleet.SendAsync(1, $"kept-{i}")));

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        Assert.DoesNotContain(fleet.Vendor.Requests.Read(), r => r.Status == 429);
    }

    [Fact]
    public async Task Quota_OverTwoProxies_LetsExactlySoManyThrough()
    {
        await using var fleet = await FleetStage.SetAsync(["", ""], more: "limits: { month: { quota: 20, period: calendar-month, zone: Europe/Berlin } }");

        var answers = await SendAsync(fleet, 40);

        var refused = answers.Where(a => a.StatusCode != HttpStatusCode.Accepted).ToArray();
        Assert.Equal((20, 20), (answers.Length - refused.Length, fleet.Vendor.Requests.Read().Count));
        Assert.All(refused, a => Assert.Equal((HttpStatusCode.TooManyRequests, "quota_exceeded", "no"), (a.StatusCode, a.Header("SendProxy-Error"), a.Header("SendProxy-Sent"))));
        Assert.All(refused, a => Assert.True(a.Headers.RetryAfter!.Delta > TimeSpan.Zero));

        // A line of the log comes some milliseconds after the answer; one of both has it.
        await await Task.WhenAny(Enumerable.Range(0, 2).Select(i => fleet.Proxy(i).WaitForLineAsync(l => l.Contains("95 % is used", StringComparison.Ordinal), Token)));
    }

    [Fact]
    public async Task Concurrent_RedisAwayAndBack_FailsNoSendAndKeepsIt()
    {
        await using var fleet = await SlowAsync(4, callTimeout: "200ms");
        Assert.All(await SendAsync(fleet, 8), a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));

        fleet.Redis.Pause();
        var away = await SendAsync(fleet, 20, "away");
        fleet.Redis.Resume();
        var back = await SendAsync(fleet, 20, "back");

        Assert.All(away.Concat(back), a => Assert.Equal((HttpStatusCode.Accepted, "1"), (a.StatusCode, a.Header("SendProxy-Attempts"))));
        Assert.DoesNotContain(fleet.Vendor.Requests.Read(), r => r.Status == 429);
    }

    [Fact]
    public async Task Quota_RedisAwayAndBack_IsUsedExactlyOnce()
    {
        const int Quota = 60;
        await using var fleet = await FleetStage.SetAsync(["", ""], callTimeout: "200ms", more: $"limits: {{ month: {{ quota: {Quota}, period: calendar-month }} }}");
        var before = Accepted(await SendAsync(fleet, 10));

        fleet.Redis.Pause();
        var away = Accepted(await SendAsync(fleet, 20, "away"));
        fleet.Redis.Resume();

        // What was used meanwhile is told when Redis is back: until then a process may refuse what is left.
        var back = 0;
        await RedisProcess.UntilAsync(
            async () =>
            {
                back += Accepted(await SendAsync(fleet, 4, $"back-{back}-{fleet.Vendor.Requests.Arrived}"));
                return before + away + back >= Quota;
            },
            "the rest of the quota was not to be had");

        Assert.Equal((10, Quota), (before, before + away + back));
        Assert.True(away > 0);
        Assert.Equal(0, Accepted(await SendAsync(fleet, 10, "over")));
        Assert.Equal(Quota, fleet.Vendor.Requests.Arrived);
    }

    private static int Accepted(HttpResponseMessage[] answers) => answers.Count(a => a.StatusCode == HttpStatusCode.Accepted);

    private static Task<FleetStage> SlowAsync(int limit, string callTimeout = "2s") => FleetStage.SetAsync(
        ["timeouts: { total: 60s }", "timeouts: { total: 60s }"], callTimeout, more: $"limits: {{ calls: {{ concurrent: {limit}, maxWait: 30s }} }}", vendor: new SandboxOptions
        {
            Keys = [EgressStage.Key],
            Latency = TimeSpan.FromMilliseconds(150),
            Limits = [new LimitOptions { Kind = LimitKind.Concurrency, Requests = limit }],
        });

    private static async Task<HttpResponseMessage[]> SendAsync(FleetStage fleet, int count, string name = "message") =>
        await Task.WhenAll(Enumerable.Range(0, count).Select(i => fleet.SendAsync(i % 2, $"{name}-{i}")));

    // As many as arrived within less than an answer takes ran at once.
    private static int MostAtOnce(FleetStage fleet)
    {
        var at = fleet.Vendor.Requests.Read().Select(r => r.At).Order().ToArray();
        return Enumerable.Range(0, at.Length).Max(i => at.Count(a => a >= at[i] && a < at[i].AddMilliseconds(100)));
    }
}
