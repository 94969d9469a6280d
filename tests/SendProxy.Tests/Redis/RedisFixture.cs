using SendProxy.Tests.Redis;

[assembly: AssemblyFixture(typeof(RedisFixture))]

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
