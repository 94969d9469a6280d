using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using StackExchange.Redis;

namespace SendProxy.Tests.Redis;

/// <summary>
/// A real Redis: the one that SENDPROXY_TEST_REDIS names, else a redis-server of its own on a free loopback port, in a
/// folder of its own, ended by its id. Not started where neither is there.
/// </summary>
internal sealed class RedisServer : IAsyncDisposable
{
    private readonly Process? _process;
    private readonly string? _folder;
    private readonly ConnectionMultiplexer _admin;

    private RedisServer(string address, Process? process, string? folder, ConnectionMultiplexer admin) =>
        (Address, _process, _folder, _admin) = (address, process, folder, admin);

    /// <summary>Host and port.</summary>
    public string Address { get; }

    /// <summary>Only of its own it may do everything.</summary>
    public bool IsOwn => _process is not null;

    public IDatabase Database => _admin.GetDatabase();

    /// <returns>Null where there is no Redis to be had.</returns>
    public static async Task<RedisServer?> TryStartAsync(string? password = null)
    {
        string[] options = password is null ? [] : ["--requirepass", password];
        if (Environment.GetEnvironmentVariable("SENDPROXY_TEST_REDIS") is { Length: > 0 } named && password is null)
        {
            return new RedisServer(named, null, null, await AdminAsync(named, null));
        }

        if (!OnPath("redis-server"))
        {
            return null;
        }

        // Another process may take the port between its choice and its use.
        for (var attempt = 0; attempt < 5; attempt++)
        {
            var folder = Directory.CreateTempSubdirectory("sendproxy-redis-").FullName;
            var port = FreePort();
            var process = Launch(folder, port, options);
            if (await IsReadyAsync(process))
            {
                var address = $"127.0.0.1:{port}";
                return new RedisServer(address, process, folder, await AdminAsync(address, password));
            }

            End(process, folder);
        }

        throw new InvalidOperationException("redis-server found no free port.");
    }

    /// <summary>SIGSTOP: connections stay, nothing is answered.</summary>
    public void Pause() => Signal("-STOP");

    public void Resume() => Signal("-CONT");

    public Task EmptyAsync() => Database.ExecuteAsync("FLUSHALL");

    public async ValueTask DisposeAsync()
    {
        await _admin.DisposeAsync();
        if (_process is not null)
        {
            End(_process, _folder!);
        }
    }

    private static Task<ConnectionMultiplexer> AdminAsync(string address, string? password) => ConnectionMultiplexer.ConnectAsync(
        $"{address},abortConnect=false,allowAdmin=true,connectTimeout=10000,asyncTimeout=20000" + (password is null ? "" : $",password={password}"));

    private static Process Launch(string folder, int port, string[] options)
    {
        var start = new ProcessStartInfo("redis-server") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[
            "--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--daemonize", "no", .. options])
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    private static async Task<bool> IsReadyAsync(Process process)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.Contains("Ready to accept connections", StringComparison.Ordinal))
            {
                // A full pipe would stop it.
                _ = process.StandardOutput.ReadToEndAsync();
                return true;
            }
        }

        return false;
    }

    private static void End(Process process, string folder)
    {
        if (!process.HasExited)
        {
            process.Kill();
            process.WaitForExit();
        }

        process.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static bool OnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    private void Signal(string signal)
    {
        using var kill = Process.Start("kill", [signal, _process!.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }
}
