namespace SendProxy.Workers;

/// <summary>
/// Runs rounds until it is stopped. A defect in one of them is counted and told, and the next round comes after a pause that
/// grows up to a minute: no defect ends the loop, or the process.
/// </summary>
internal sealed partial class WorkerLoop(string name, WorkerContext context)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastPause = TimeSpan.FromMinutes(1);

    private readonly ILogger _logger = context.Loggers.CreateLogger<WorkerLoop>();

    /// <param name="round">Yields how long to wait before the next one; null ends the loop.</param>
    /// <param name="stop">Ends it, also in the middle of a round that obeys.</param>
    public async Task RunAsync(Func<CancellationToken, Task<TimeSpan?>> round, CancellationToken stop)
    {
        context.Metrics.Started(name);
        var afterDefect = FirstPause;
        while (!stop.IsCancellationRequested)
        {
            TimeSpan? pause;
            try
            {
                pause = await round(stop);
                context.Metrics.Progressed(name);
                afterDefect = FirstPause;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // The one place where a worker's defect is caught: see the summary.
            catch (Exception e)
#pragma warning restore CA1031
            {
                context.Metrics.Failed(name);
                Log.Defect(_logger, name, afterDefect.TotalSeconds, e);
                pause = afterDefect;
                afterDefect = afterDefect * 2 < LastPause ? afterDefect * 2 : LastPause;
            }

            if (pause is not { } wait)
            {
                context.Metrics.Ended(name);
                return;
            }

            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, context.Time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(320, LogLevel.Error, "A round of the worker {Worker} failed because of a defect; the next one comes in {Seconds} s")]
        public static partial void Defect(ILogger logger, string worker, double seconds, Exception exception);
    }
}
