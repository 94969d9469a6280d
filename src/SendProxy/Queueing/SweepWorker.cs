namespace SendProxy.Queueing;

/// <summary>Removes finished items and outlived dedupe keys, a bounded number at a time, and notices whether the store works.</summary>
internal sealed partial class SweepWorker(JournalHost journal, WorkerMetrics metrics, TimeProvider time, ILogger<SweepWorker> logger)
    : BackgroundService
{
    private const string Name = "sweep";
    private const int MaxAtOnce = 1000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(50);

    // Told when it changes, not every five seconds.
    private QueueError? _failing;

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
            if (error != _failing)
            {
                Log.StoreFails(logger, error);
            }
        }
        else if (_failing is not null)
        {
            Log.StoreWorks(logger);
        }

        _failing = swept.Error;

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
        [LoggerMessage(300, LogLevel.Error, "The journal cannot be swept: {Error}; tried again every five seconds")]
        public static partial void StoreFails(ILogger logger, QueueError error);

        [LoggerMessage(305, LogLevel.Information, "The journal can be used again")]
        public static partial void StoreWorks(ILogger logger);

        [LoggerMessage(301, LogLevel.Error, "A sweep of the journal failed")]
        public static partial void Defect(ILogger logger, Exception exception);
    }
}
