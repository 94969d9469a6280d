using System.Runtime.InteropServices;
using SendProxy.Configuration;

namespace SendProxy.Hosting;

/// <summary>How the process ends. Section <c>shutdown</c>.</summary>
internal sealed record ShutdownOptions(TimeSpan Drain)
{
    public static ShutdownOptions Read(SettingsReader shutdown) => new(
        shutdown.Duration("drain", "10s", "0s", "5m", "How long to go on serving after SIGTERM while the application is not quiet."));
}

/// <summary>
/// Ends the process as a sidecar must: on SIGTERM it goes on listening until the application has been quiet for a second or
/// the drain time is over, since Kubernetes stops both at once and the application may still have to send. A second signal
/// ends it at once.
/// </summary>
internal sealed partial class DrainingLifetime(
    ShutdownOptions options, IHostApplicationLifetime application, IRequestActivity quiet, TimeProvider time, ILogger<DrainingLifetime> logger)
    : IHostLifetime, IDraining, IDisposable
{
    private static readonly TimeSpan QuietFor = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    private readonly CancellationTokenSource _started = new();
    private readonly CancellationTokenSource _forced = new();
    private readonly List<PosixSignalRegistration> _signals = [];
    private Task _draining = Task.CompletedTask;
    private int _asked;

    /// <summary>True once the process was asked to end: health says so, and workers stop claiming.</summary>
    public bool Stopping => Volatile.Read(ref _asked) > 0;

    public CancellationToken Started => _started.Token;

    public CancellationToken Forced => _forced.Token;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal));
        _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal));
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken) => await _draining;

    public void Dispose()
    {
        _signals.ForEach(s => s.Dispose());
        _started.Dispose();
        _forced.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _asked) == 1)
        {
            _draining = DrainAsync();
        }
        else
        {
            _forced.Cancel();
        }
    }

    private async Task DrainAsync()
    {
        Log.Draining(logger, Units.Format(options.Drain));
        var start = time.GetTimestamp();
        await _started.CancelAsync();
        try
        {
            while (time.GetElapsedTime(start) < options.Drain && !(quiet.InFlight == 0 && time.GetElapsedTime(Math.Max(start, quiet.LastActive)) >= QuietFor))
            {
                await Task.Delay(Look, time, _forced.Token);
            }
        }
        catch (OperationCanceledException)
        {
            Log.Forced(logger);
        }

        application.StopApplication();
    }

    private static partial class Log
    {
        [LoggerMessage(100, LogLevel.Information, "Stopping: serving on until the application is quiet, at most {Drain}")]
        public static partial void Draining(ILogger logger, string drain);

        [LoggerMessage(101, LogLevel.Warning, "Stopping at once: a second signal came")]
        public static partial void Forced(ILogger logger);
    }
}

/// <summary>How far the process is on its way to its end.</summary>
internal interface IDraining
{
    /// <summary>It was asked to end: workers start nothing new.</summary>
    public CancellationToken Started { get; }

    /// <summary>It was asked twice: nothing is waited for.</summary>
    public CancellationToken Forced { get; }
}

/// <summary>Whether applications still use the port.</summary>
internal interface IRequestActivity
{
    public int InFlight { get; }

    /// <summary>Monotonic time at which the last request ended; 0 before the first.</summary>
    public long LastActive { get; }
}
