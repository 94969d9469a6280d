using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace SendProxy.Sandbox.Demo;

/// <summary>The real proxy as a process of its own, known by what it prints.</summary>
internal sealed class DemoProxy : IAsyncDisposable
{
    private static readonly TimeSpan EndBound = TimeSpan.FromSeconds(15);
    private const string Variable = "SENDPROXY_BINARY";

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _lines = [];
    private readonly Dictionary<string, Uri> _addresses = [];
    private readonly TaskCompletionSource _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _reading;

    private DemoProxy(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public Uri Egress => _addresses["egress"];

    public Uri Webhooks => _addresses["webhooks"];

    public Uri Metrics => _addresses["metrics"];

    public int Id => _process.Id;

    /// <summary>Everything it printed so far.</summary>
    public IEnumerable<string> Lines => _lines;

    /// <returns>What SENDPROXY_BINARY names, else what was built beside this program.</returns>
    public static string FindBinary()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            return named;
        }

        // artifacts/bin/SendProxy.Sandbox/debug/ -> artifacts/bin/SendProxy/debug/sendproxy
        var here = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        return Path.Combine(here.Parent!.Parent!.FullName, "SendProxy", here.Name, "sendproxy");
    }

    /// <exception cref="DemoFailedException">It could not be started, or ended before it listened.</exception>
    public static async Task<DemoProxy> StartAsync(string binary, string config, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(binary, ["--config", config]) { RedirectStandardOutput = true, RedirectStandardError = true };
        DemoProxy proxy;
        try
        {
            proxy = new DemoProxy(Process.Start(start)!);
        }
        catch (Win32Exception)
        {
            throw new DemoFailedException($"The proxy cannot be started: {binary}. Build it (dotnet build), or name it with --proxy or {Variable}.");
        }

        await Task.WhenAny(proxy._listening.Task, proxy._reading).WaitAsync(cancellation);
        if (proxy._listening.Task.IsCompleted)
        {
            return proxy;
        }

        var said = string.Join('\n', proxy.Lines);
        await proxy.DisposeAsync();
        throw new DemoFailedException($"The proxy ended before it listened. It said:\n{said}");
    }

    /// <summary>SIGKILL: nothing of it runs any more when this returns.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _reading;
    }

    /// <summary>SIGTERM, and its orderly end; SIGKILL when that takes too long.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            using var kill = Process.Start("kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)]);
            using var bound = new CancellationTokenSource(EndBound);
            await _process.WaitForExitAsync(bound.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_process.HasExited)
            {
                _process.Kill();
            }
        }

        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            _lines.Enqueue(line);
            if (line.Contains("\"event\":\"Listening\"", StringComparison.Ordinal))
            {
                Note(line);
            }
        }
    }

    private void Note(string line)
    {
        using var json = JsonDocument.Parse(line);
        var listener = json.RootElement.GetProperty("Listener").GetString()!;
        _addresses.TryAdd(listener, new Uri(json.RootElement.GetProperty("Address").GetString()!));
        if (_addresses.Count == 3)
        {
            _listening.TrySetResult();
        }
    }
}
