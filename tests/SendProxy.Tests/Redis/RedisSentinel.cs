using StackExchange.Redis;

namespace SendProxy.Tests.Redis;

/// <summary>A real master with a replica and a Sentinel that watches them, on loopback.</summary>
internal sealed class RedisSentinel : IAsyncDisposable
{
    private const string Service = "fleet";

    private readonly RedisProcess _first;
    private readonly RedisProcess _second;
    private readonly RedisProcess _sentinel;
    private readonly ConnectionMultiplexer _admin;

    private RedisSentinel(RedisProcess first, RedisProcess second, RedisProcess sentinel, ConnectionMultiplexer admin) =>
        (_first, _second, _sentinel, _admin) = (first, second, sentinel, admin);

    /// <summary>What <c>fleet.redis.connection</c> takes.</summary>
    public string Address => $"{_sentinel.Address},serviceName={Service}";

    /// <summary>The replica that becomes the master.</summary>
    public IDatabase Second => _admin.GetDatabase();

    /// <returns>Null where there is no redis-server. Else the replica has caught up, and the Sentinel knows of it.</returns>
    public static Task<RedisSentinel?> TryStartAsync() => RedisServer.TryStartAsync(StartAsync);

    /// <summary>Waits until the replica has everything that the master has.</summary>
    public async Task CaughtUpAsync()
    {
        await using var master = await RedisServer.AdminAsync(_first.Address, null);
        await RedisProcess.UntilAsync(async () => Field(await master.GetDatabase().ExecuteAsync("INFO", "replication"), "master_repl_offset")
            == Field(await Second.ExecuteAsync("INFO", "replication"), "slave_repl_offset"), "The replica does not catch up.");
    }

    /// <summary>SIGKILL for the master; returns as it has died, not as the replica took over.</summary>
    public void KillMaster() => _first.Kill();

    /// <summary>Waits until the replica is the master.</summary>
    public Task FailedOverAsync() => RedisProcess.UntilAsync(
        async () =>
        {
            try
            {
                return Field(await Second.ExecuteAsync("INFO", "replication"), "role") == "master";
            }
            catch (RedisConnectionException)
            {
                // A server that changes its role closes its connections.
                return false;
            }
        },
        "The Sentinel did not fail over.");

    public async ValueTask DisposeAsync()
    {
        await _admin.DisposeAsync();
        _sentinel.Dispose();
        _second.Dispose();
        _first.Dispose();
    }

    private static async Task<RedisSentinel> StartAsync()
    {
        var first = await RedisProcess.StartAsync(_ => ["--save", ""]);
        var second = await RedisProcess.StartAsync(_ => ["--save", "", "--replicaof", $"127.0.0.1 {first.Port}", "--repl-diskless-sync-delay", "0"]);
        var sentinel = await RedisProcess.StartAsync(_ => [], $"""
            sentinel monitor {Service} 127.0.0.1 {first.Port} 1
            sentinel down-after-milliseconds {Service} 500
            sentinel failover-timeout {Service} 5000

            """);
        var started = new RedisSentinel(first, second, sentinel, await RedisServer.AdminAsync(second.Address, null));
        await using var watch = await ConnectionMultiplexer.SentinelConnectAsync($"{sentinel.Address},allowAdmin=true,connectTimeout=10000");
        await RedisProcess.UntilAsync(async () => Field(await started.Second.ExecuteAsync("INFO", "replication"), "master_link_status") == "up", "The replica does not join.");
        await RedisProcess.UntilAsync(async () => ((RedisResult[])(await watch.GetServer(sentinel.Address).ExecuteAsync("SENTINEL", "replicas", Service))!).Length == 1, "The Sentinel does not see the replica.");
        return started;
    }

    private static string Field(RedisResult info, string name) =>
        ((string?)info ?? "").Split("\r\n").Where(l => l.StartsWith(name + ":", StringComparison.Ordinal)).Select(l => l[(name.Length + 1)..]).FirstOrDefault("");
}
