using SendProxy.Tests.Redis;

[assembly: AssemblyFixture(typeof(RedisFixture))]
[assembly: AssemblyFixture(typeof(RedisClusterFixture))]
[assembly: AssemblyFixture(typeof(RedisSentinelFixture))]

namespace SendProxy.Tests.Redis;

/// <summary>One Redis for all tests of the assembly; each takes a key prefix of its own.</summary>
public sealed class RedisFixture : IAsyncLifetime
{
    private RedisServer? _server;

    /// <summary>Skips the test where there is no Redis; in CI that is a failure.</summary>
    internal RedisServer Server
    {
        get
        {
            if (_server is null && Environment.GetEnvironmentVariable("CI") != "true")
            {
                Assert.Skip("There is no Redis: install redis-server, or set SENDPROXY_TEST_REDIS.");
            }

            return _server ?? throw new InvalidOperationException("CI has no Redis: install redis-server, or set SENDPROXY_TEST_REDIS.");
        }
    }

    public async ValueTask InitializeAsync() => _server = await RedisServer.TryStartAsync();

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }
}

/// <summary>One Cluster for all tests that need one; started by the first of them.</summary>
public sealed class RedisClusterFixture : IAsyncDisposable
{
    private readonly Lazy<Task<RedisCluster?>> _cluster = new(RedisCluster.TryStartAsync);

    public async ValueTask DisposeAsync()
    {
        if (_cluster.IsValueCreated && await _cluster.Value is { } cluster)
        {
            await cluster.DisposeAsync();
        }
    }

    /// <summary>Skips the test where there is no redis-server; in CI that is a failure.</summary>
    internal async Task<RedisCluster> StartedAsync()
    {
        var cluster = await _cluster.Value;
        Assert.SkipUnless(cluster is not null || Environment.GetEnvironmentVariable("CI") == "true", "There is no redis-server on the PATH.");
        return cluster ?? throw new InvalidOperationException("CI has no redis-server.");
    }
}

/// <summary>One master with a replica and a Sentinel for all tests that end none of them; started by the first of them.</summary>
public sealed class RedisSentinelFixture : IAsyncDisposable
{
    private readonly Lazy<Task<RedisSentinel?>> _sentinel = new(RedisSentinel.TryStartAsync);

    public async ValueTask DisposeAsync()
    {
        if (_sentinel.IsValueCreated && await _sentinel.Value is { } sentinel)
        {
            await sentinel.DisposeAsync();
        }
    }

    /// <summary>Skips the test where there is no redis-server; in CI that is a failure.</summary>
    internal async Task<RedisSentinel> StartedAsync()
    {
        var sentinel = await _sentinel.Value;
        Assert.SkipUnless(sentinel is not null || Environment.GetEnvironmentVariable("CI") == "true", "There is no redis-server on the PATH.");
        return sentinel ?? throw new InvalidOperationException("CI has no redis-server.");
    }
}
