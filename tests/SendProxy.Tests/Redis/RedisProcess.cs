using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SendProxy.Tests.Redis;

/// <summary>One redis-server of ours: on loopback, in a folder of its own, ended by its id.</summary>
internal sealed class RedisProcess : IDisposable
{
    private readonly string _folder;
    private readonly string[] _options;
    private readonly string? _sentinel;
    private Process _process;

    private RedisProcess(string folder, int port, string[] options, string? sentinel)
    {
        (_folder, Port, _options, _sentinel) = (folder, port, options, sentinel);
        _process = Launch(folder, port, options, sentinel);
    }

    public int Port { get; }

    public string Address => $"127.0.0.1:{Port}";

    public static bool IsInstalled =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "redis-server")));

    /// <param name="options">As on its command line; from its port.</param>
    /// <param name="sentinel">Not null: what stands in the configuration of a Sentinel.</param>
    /// <returns>Ready: it takes connections.</returns>
    public static async Task<RedisProcess> StartAsync(Func<int, string[]> options, string? sentinel = null)
    {
        // Another process may take the port between its choice and its use.
        for (var attempt = 0; attempt < 5; attempt++)
        {
            var folder = Directory.CreateTempSubdirectory("sendproxy-redis-").FullName;
            var port = FreePort();
            var redis = new RedisProcess(folder, port, options(port), sentinel);
            if (await redis.IsReadyAsync())
            {
                return redis;
            }

            redis.Dispose();
        }

        throw new InvalidOperationException("redis-server found no free port.");
    }

    /// <summary>Asks until it is so; a server's state has no event.</summary>
    /// <exception cref="TimeoutException">It did not become so.</exception>
    public static async Task UntilAsync(Func<Task<bool>> isSo, string what)
    {
        for (var asked = 0; asked < 600; asked++)
        {
            if (await isSo())
            {
                return;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }

        throw new TimeoutException(what);
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public void Signal(string signal)
    {
        using var kill = Process.Start("kill", [signal, _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>SIGKILL; its folder stays until <see cref="Dispose"/>.</summary>
    public void Kill()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }
    }

    /// <summary>Starts it again after <see cref="Kill"/>, on its port and with what its folder holds.</summary>
    public async Task StartAgainAsync()
    {
        _process.Dispose();
        _process = Launch(_folder, Port, _options, _sentinel);
        if (!await IsReadyAsync())
        {
            throw new InvalidOperationException("redis-server does not start again.");
        }
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static Process Launch(string folder, int port, string[] options, string? sentinel)
    {
        var start = new ProcessStartInfo("redis-server") { RedirectStandardOutput = true, RedirectStandardError = true };
        if (sentinel is not null)
        {
            // A Sentinel writes what it learns into its configuration.
            var file = Path.Combine(folder, "sentinel.conf");
            File.WriteAllText(file, sentinel);
            start.ArgumentList.Add(file);
            start.ArgumentList.Add("--sentinel");
        }

        foreach (var argument in (string[])["--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", folder, "--daemonize", "no", .. options])
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start)!;
    }

    private async Task<bool> IsReadyAsync()
    {
        var (process, said) = (_process, _sentinel is null ? "Ready to accept connections" : "Sentinel ID is");
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.Contains(said, StringComparison.Ordinal))
            {
                // A full pipe would stop it.
                _ = process.StandardOutput.ReadToEndAsync();
                return true;
            }
        }

        return false;
    }
}
