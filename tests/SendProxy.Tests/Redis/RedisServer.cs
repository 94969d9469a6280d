using StackExchange.Redis;

namespace SendProxy.Tests.Redis;

/// <summary>
/// A real Redis: the one that SENDPROXY_TEST_REDIS names, else a redis-server of its own on a free loopback port, in a
/// folder of its own, ended by its id. Not started where neither is there.
/// </summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private readonly RedisProcess? _process;
    private readonly ConnectionMultiplexer _admin;

    private RedisServer(string address, RedisProcess? process, ConnectionMultiplexer admin) => (Address, _process, _admin) = (address, process, admin);

    /// <summary>Host and port.</summary>
    public string Address { get; }

    /// <summary>Only of its own it may do everything.</summary>
    public bool IsOwn => _process is not null;

    public IDatabase Database => _admin.GetDatabase();

    /// <returns>Null where there is no Redis to be had.</returns>
    public static async Task<RedisServer?> TryStartAsync(string? password = null)
    {
        if (Environment.GetEnvironmentVariable("SENDPROXY_TEST_REDIS") is { Length: > 0 } named && password is null)
        {
            return new RedisServer(named, null, await AdminAsync(named, null));
        }

        if (!RedisProcess.IsInstalled)
        {
            return null;
        }

        var process = await RedisProcess.StartAsync(_ => password is null ? ["--save", ""] : ["--save", "", "--requirepass", password]);
        return new RedisServer(process.Address, process, await AdminAsync(process.Address, password));
    }

    /// <summary>For tests of what Redis does when it fails over or is a Cluster: they start their own.</summary>
    /// <returns>Null where there is no redis-server on the PATH.</returns>
    public static async Task<T?> TryStartAsync<T>(Func<Task<T>> start)
        where T : class => RedisProcess.IsInstalled ? await start() : null;

    /// <summary>SIGSTOP: connections stay, nothing is answered.</summary>
    public void Pause() => _process!.Signal("-STOP");

    public void Resume() => _process!.Signal("-CONT");

    public Task EmptyAsync() => Database.ExecuteAsync("FLUSHALL");

    public async ValueTask DisposeAsync()
    {
        await _admin.DisposeAsync();
        _process?.Dispose();
    }

    /// <param name="addresses">Host and port; several with commas.</param>
    internal static Task<ConnectionMultiplexer> AdminAsync(string addresses, string? password) => ConnectionMultiplexer.ConnectAsync(
        $"{addresses},abortConnect=false,allowAdmin=true,connectTimeout=10000,asyncTimeout=20000" + (password is null ? "" : $",password={password}"));
}
