using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace SendProxy.IntegrationTests;

/// <summary>
/// The real executable: the one that was built, or the one that SENDPROXY_BINARY names (the published Native AOT binary).
/// Started with a configuration, told by signals, watched by its log lines. Disposing kills it.
/// </summary>
internal sealed class ProxyProcess : IAsyncDisposable
{
    /// <summary>Against hanging only; nothing is asserted of it.</summary>
    public static readonly TimeSpan Guard = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = [];
    private readonly Task _reading;
    private readonly Lock _lock = new();
    private TaskCompletionSource _grown = NewSignal();

    private ProxyProcess(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Every line so far, of standard output and standard error.</summary>
    public IReadOnlyList<string> Output => [.. _output];

    public static string Binary =>
        Environment.GetEnvironmentVariable("SENDPROXY_BINARY") is { Length: > 0 } named ? named : Built();

    /// <summary>Starts it and waits until it listens.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; the message has its output.</exception>
    public static Task<ProxyProcess> StartAsync(ProxyFolder folder, CancellationToken cancellation) => StartAsync(folder, [], cancellation);

    /// <param name="before">A command that executes what follows it, in its own process: <c>setpriv --reuid 65534</c>.</param>
    public static async Task<ProxyProcess> StartAsync(ProxyFolder folder, string[] before, CancellationToken cancellation)
    {
        var started = Launch(folder, before, ["serve"]);
        try
        {
            // The metrics listener is told last.
            await started.WaitForLineAsync(l => l.Contains("\"event\":\"Listening\"", StringComparison.Ordinal)
                && l.Contains("\"Listener\":\"metrics\"", StringComparison.Ordinal), cancellation);
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts it without waiting for anything: for what must not start, and for commands.</summary>
    public static ProxyProcess Launch(ProxyFolder folder, params string[] arguments) => Launch(folder, [], arguments);

    /// <summary>A command that reaches its end.</summary>
    /// <returns>Its exit code and all it wrote.</returns>
    public static async Task<(int Code, string Output)> RunAsync(ProxyFolder folder, string[] command, CancellationToken cancellation)
    {
        await using var run = new ProxyProcess(Start(folder, command));
        return (await run.WaitForExitAsync(cancellation), string.Join('\n', run.Output));
    }

    private static ProxyProcess Launch(ProxyFolder folder, string[] before, string[] arguments) =>
        new(Start(folder, [.. before, Binary, .. arguments, "--config", folder.ConfigPath]));

    private static Process Start(ProxyFolder folder, string[] command)
    {
        var start = new ProcessStartInfo(command[0])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder.Path,
        };
        foreach (var argument in command[1..])
        {
            start.ArgumentList.Add(argument);
        }

        return Process.Start(start) ?? throw new InvalidOperationException($"{command[0]} did not start.");
    }

    /// <summary>Where a listener is: <c>egress</c>, <c>webhooks</c>, <c>metrics</c>; the first one of several.</summary>
    public Uri Address(string listener)
    {
        foreach (var line in _output.Where(l => l.Contains("\"event\":\"Listening\"", StringComparison.Ordinal)))
        {
            using var json = JsonDocument.Parse(line);
            if (json.RootElement.GetProperty("Listener").GetString() == listener)
            {
                return new Uri(json.RootElement.GetProperty("Address").GetString()!);
            }
        }

        throw new InvalidOperationException($"There is no listener {listener}:\n{string.Join('\n', _output)}");
    }

    /// <summary>Waits until so many lines are of this kind.</summary>
    /// <returns>Them.</returns>
    public async Task<IReadOnlyList<string>> WaitForLinesAsync(int count, Func<string, bool> predicate, CancellationToken cancellation)
    {
        while (true)
        {
            Task grown;
            lock (_lock)
            {
                grown = _grown.Task;
            }

            if (_output.Where(predicate).ToArray() is var found && found.Length >= count)
            {
                return found;
            }

            if (_reading.IsCompleted)
            {
                throw new InvalidOperationException($"sendproxy ended before {count} such lines, {found.Length} came:\n{string.Join('\n', _output)}");
            }

            try
            {
                await Task.WhenAny(grown, _reading).WaitAsync(Guard, cancellation);
            }
            catch (TimeoutException)
            {
                throw new TimeoutException($"{found.Length} of {count} such lines came:\n{string.Join('\n', _output.TakeLast(200))}");
            }
        }
    }

    public async Task<string> WaitForLineAsync(Func<string, bool> predicate, CancellationToken cancellation) =>
        (await WaitForLinesAsync(1, predicate, cancellation))[0];

    /// <summary>SIGKILL: nothing of the process runs any more when this returns.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync().WaitAsync(Guard);
        await _reading;
    }

    /// <summary>As <see cref="KillAsync"/>, where it has not ended by itself.</summary>
    public Task KillIfRunningAsync() => _process.HasExited ? _reading : KillAsync();

    /// <summary>SIGTERM, and waits for the orderly end.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> TerminateAsync(CancellationToken cancellation)
    {
        Signal("-TERM");
        return await WaitForExitAsync(cancellation);
    }

    public void Signal(string signal)
    {
        using var kill = Process.Start("kill", [signal, _process.Id.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <returns>The exit code, once all output was read.</returns>
    public async Task<int> WaitForExitAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation).WaitAsync(Guard, cancellation);
        await _reading;
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            _output.Enqueue(line);
            TaskCompletionSource grown;
            lock (_lock)
            {
                (grown, _grown) = (_grown, NewSignal());
            }

            grown.SetResult();
        }
    }

    // artifacts/bin/SendProxy.IntegrationTests/debug/ -> artifacts/bin/SendProxy/debug/sendproxy
    private static string Built()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        var built = System.IO.Path.Combine(here.Parent!.Parent!.FullName, "SendProxy", here.Name, "sendproxy");
        return File.Exists(built) ? built : throw new FileNotFoundException("Build src/SendProxy first, or set SENDPROXY_BINARY.", built);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
