namespace SendProxy.Queueing;

/// <summary>Removes finished items and outlived dedupe keys, a bounded number at a time, and notices whether the store works.</summary>
internal sealed partial class SweepWorker(JournalHost journal, WorkerMetrics metrics, TimeProvider time, ILogger<SweepWorker> logger)
    : BackgroundService
{
    private const string Name = "sweep";
    private const int MaxAtOnce = 1000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(50);

    /// <summary>One round.</summary>
    /// <returns>Whether there is more to remove.</returns>
    public async Task<bool> SweepAsync(CancellationToken cancellation)
    {
        var swept = await journal.Queue.SweepAsync(MaxAtOnce, cancellation);
        journal.Observe(swept.Error);
        metrics.Progressed(Name);
        if (swept.Error is { } error)
        {
            metrics.Failed(Name);
            Log.StoreFails(logger, error);
        }

        return swept.Error is null && swept.Value == MaxAtOnce;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (journal.IsOpen)
        {
            var more = false;
            try
            {
                more = await SweepAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // A worker's loop: a defect in one round must not end sweeping for good.
            catch (Exception e)
#pragma warning restore CA1031
            {
                metrics.Failed(Name);
                Log.Defect(logger, e);
            }

            await Task.Delay(more ? Soon : Interval, time, stoppingToken);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(300, LogLevel.Error, "The journal cannot be swept: {Error}; tried again in some seconds")]
        public static partial void StoreFails(ILogger logger, QueueError error);

        [LoggerMessage(301, LogLevel.Error, "A sweep of the journal failed")]
        public static partial void Defect(ILogger logger, Exception exception);
    }
}
