using SendProxy.Configuration;
using SendProxy.Redis;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Tests.Redis;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>Limits of every kind on a Cluster of three masters: each limit's keys lie on one node, and a 429 is told over all.</summary>
public sealed class ClusterLimitTests(RedisClusterFixture redis)
{
    private static readonly PermitRequest One = new(LaneTable.Default.Usual, 1, false);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(20);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Limits_OfEveryKind_WorkAndLieOnAllNodes()
    {
        var cluster = await redis.StartedAsync();
        var (link, factory) = await StartAsync(cluster.Address, $"limits-{Guid.NewGuid():n}");
        await using var ends = link;
        Assert.True(Units.TryRate("1000/s", out var rate));
        LimitOptions[] all =
        [
            .. Enumerable.Range(0, 20).Select(i => new LimitOptions($"rate{i}", rate, true, 200, Long, 100)),
            new("calls", null, false, 1, Long, 100) { Concurrent = 2 },
            new("month", null, false, 1, Long, 100) { Quota = new QuotaOptions(5, QuotaPeriod.Month, TimeZoneInfo.Utc, []) },
        ];
        foreach (var options in all)
        {
            using var limit = factory.Create(options, LaneTable.Default);
            Assert.True((await limit.AcquireAsync(One, Long, Token)).IsAcquired, options.Name);
        }

        Assert.Equal(3, cluster.Keys($"{link.Options.KeyPrefix}:*:state").Select(cluster.NodeOf).Distinct().Count());
    }

    [Fact]
    public async Task Throttle_MetByOne_BlocksTheOther()
    {
        var (cluster, prefix) = (await redis.StartedAsync(), $"limits-{Guid.NewGuid():n}");
        var (link, one) = await StartAsync(cluster.Address, prefix);
        var (other, two) = await StartAsync(cluster.Address, prefix);
        await using var ends = link;
        await using var endsToo = other;
        Assert.True(Units.TryRate("1000/s", out var rate));
        var options = new LimitOptions("plan", rate, true, 200, Long, 100);
        using var first = one.Create(options, LaneTable.Default);
        using var second = two.Create(options, LaneTable.Default);
        Assert.True((await first.AcquireAsync(One, Long, Token)).IsAcquired);
        Assert.True((await second.AcquireAsync(One, Long, Token)).IsAcquired);

        first.Throttle(One, Refusals.Wait(TimeSpan.FromMinutes(5)));
        var refused = await second.AcquireAsync(One, TimeSpan.FromSeconds(5), Token);
        for (var tries = 0; refused.IsAcquired && tries < 1000; tries++)
        {
            // Until it was told: a permit or two may go out before.
            refused = await second.AcquireAsync(One, TimeSpan.FromSeconds(5), Token);
        }

        Assert.InRange(refused.RetryAfter.TotalSeconds, 200, 301);
    }

    private static async Task<(RedisLink Link, LimiterFactory Factory)> StartAsync(string address, string prefix)
    {
        var link = LinkUnderTest.Create(address, prefix: prefix);
        var metrics = new LimitMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));
        var factory = new LimiterFactory(
            link, new FleetOptions(link.Options, 1, ""), metrics, TimeProvider.System, () => 0.5, Microsoft.Extensions.Logging.Abstractions.NullLogger<LimiterFactory>.Instance);
        var up = new TaskCompletionSource();
        link.WhenUp(() =>
        {
            up.TrySetResult();
            return Task.CompletedTask;
        });
        link.Start();
        await up.Task.WaitAsync(Long, TimeProvider.System, Token);
        return (link, factory);
    }
}
