using System.Diagnostics;

namespace SendProxy.IntegrationTests.Queueing;

/// <summary>SendProxy.QueueKill: enqueues as fast as it can, says what was acknowledged, and is killed.</summary>
internal sealed class QueueProcess : IAsyncDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);
    private readonly Process _process;

    private QueueProcess(Process process)
    {
        _process = process;
    }

    /// <summary>Starts it and waits until it is ready.</summary>
    public static async Task<QueueProcess> StartAsync(
        string journal, int writers, string mode, CancellationToken cancel)
    {
        var started = new QueueProcess(Process.Start(
            new ProcessStartInfo("dotnet", [Executable, journal, $"{writers}", mode])
            {
                RedirectStandardOutput = true,
            })!);
        Assert.Equal("ready", await started.ReadAsync(cancel));
        return started;
    }

    /// <summary>
    /// Reads until so many are acknowledged, kills it (SIGKILL), and reads what was still in the pipe.
    /// </summary>
    /// <returns>Every id that it had acknowledged.</returns>
    public async Task<HashSet<Guid>> KillAfterAsync(int acknowledgements, CancellationToken cancel)
    {
        var acknowledged = new HashSet<Guid>();
        while (acknowledged.Count < acknowledgements)
        {
            acknowledged.Add(Guid.Parse((await ReadAsync(cancel))!));
        }

        _process.Kill();
        await _process.WaitForExitAsync(cancel).WaitAsync(Guard, cancel);
        while (await ReadAsync(cancel) is { } line)
        {
            // The last line may be cut off: then nobody was told.
            if (Guid.TryParse(line, out var id))
            {
                acknowledged.Add(id);
            }
        }

        return acknowledged;
    }

    public ValueTask DisposeAsync()
    {
        _process.Kill();
        _process.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<string?> ReadAsync(CancellationToken cancel) =>
        await _process.StandardOutput.ReadLineAsync(cancel).AsTask().WaitAsync(Guard, cancel);

    // artifacts/bin/<project>/<configuration>/: beside this test's own folder.
    public static string Executable => Path.GetFullPath(Path.Combine(
        AppContext.BaseDirectory, "..", "..", "SendProxy.QueueKill", new DirectoryInfo(AppContext.BaseDirectory).Name,
        "SendProxy.QueueKill.dll"));
}
