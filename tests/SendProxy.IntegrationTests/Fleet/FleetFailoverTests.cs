using System.Net;
using SendProxy.IntegrationTests.Egress;
using SendProxy.Sandbox.Idempotency;
using SendProxy.Sandbox.Server;
using SendProxy.Tests.Redis;

namespace SendProxy.IntegrationTests.Fleet;

// The fleet's Redis is a master with a replica and a Sentinel, or a Cluster. The vendor does not deduplicate: Redis alone knows.
public class FleetFailoverTests
{
    private const string Unkeyed = "idempotency: { carrier: none }, retry: { baseDelay: 5ms }, timeouts: { total: 5s, attempt: 5s }";
    private static readonly SandboxOptions Forgetful = new() { Keys = [EgressStage.Key], Idempotency = new() { Mode = IdempotencyMode.Ignored } };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // What was replicated before the failover holds after it; while it lasts nothing goes out.
    [Fact]
    public async Task Sentinel_FailsOverWhileCallersRepeat_EachKeyHasOneEffect()
    {
        await using var redis = Required(await RedisSentinel.TryStartAsync());
        await using var fleet = await FleetStage.SetAsync([Unkeyed, Unkeyed], vendor: Forgetful, connection: redis.Address);
        foreach (var key in Keys("before"))
        {
            using var first = await fleet.SendAsync(0, key);
            Assert.Equal(HttpStatusCode.Accepted, first.StatusCode);
        }

        await redis.CaughtUpAsync();
        redis.KillMaster();
        var repeating = Task.WhenAll(Keys("before").Concat(Keys("amid")).SelectMany((key, i) => new[] { RepeatAsync(fleet, i % 2, key), RepeatAsync(fleet, (i + 1) % 2, key) }));
        await redis.FailedOverAsync();

        var answers = await repeating.WaitAsync(ProxyProcess.Guard, Token);
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.Last));
        Assert.Equal(20, fleet.Vendor.Ledger.Effects);
        Assert.Contains(answers, a => a.Refusals > 0);
    }

    [Fact]
    public async Task Cluster_CallersOfManyKeysAtTwoProxies_EachHasOneEffect()
    {
        await using var redis = Required(await RedisCluster.TryStartAsync());
        await using var fleet = await FleetStage.SetAsync([Unkeyed, Unkeyed], vendor: Forgetful, connection: redis.Address);

        var answers = await Task.WhenAll(Keys("order").SelectMany(key => Enumerable.Range(0, 4).Select(i => fleet.SendAsync(i % 2, key, "delay;ms=100"))));

        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        Assert.Equal(10, fleet.Vendor.Ledger.Effects);
        Assert.Equal(30, answers.Count(a => a.Header("Idempotency-Replayed") == "true"));
    }

    private static IEnumerable<string> Keys(string name) => Enumerable.Range(0, 10).Select(i => $"{name}-{i}");

    // A clumsy caller: the same key until it is told, whatever it is told before.
    private static async Task<(HttpStatusCode Last, int Refusals)> RepeatAsync(FleetStage fleet, int proxy, string key)
    {
        for (var refusals = 0; ; refusals++)
        {
            using var answer = await fleet.SendAsync(proxy, key);
            if (answer.StatusCode == HttpStatusCode.Accepted || refusals == 500)
            {
                return (answer.StatusCode, refusals);
            }

            await answer.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "idempotency_store_unavailable", "maybe");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Token);
        }
    }

    private static T Required<T>(T? redis)
        where T : class
    {
        Assert.SkipUnless(redis is not null || Environment.GetEnvironmentVariable("CI") == "true", "It needs a redis-server; install it.");
        return redis ?? throw new InvalidOperationException("CI has no redis-server.");
    }
}
