using SendProxy.Workers;

namespace SendProxy.Queueing;

/// <summary>Removes finished items and outlived dedupe keys, a bounded number at a time, and notices whether the store works.</summary>
internal sealed partial class SweepWorker(JournalHost journal, WorkerContext context)
    : PeriodicWorker(Name, context)
{
    private const string Name = "sweep";
    private const int MaxAtOnce = 1000;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(50);

    private readonly ILogger _logger = context.Loggers.CreateLogger<SweepWorker>();

    // Told when it changes, not every five seconds.
    private QueueError? _failing;

    /// <summary>One round.</summary>
    /// <returns>Whether there is more to remove.</returns>
    public async Task<bool> SweepAsync(CancellationToken cancellation)
    {
        var swept = await journal.Queue.SweepAsync(MaxAtOnce, cancellation);
        journal.Observe(swept.Error);
        if (swept.Error is { } error)
        {
            Worker.Failed(Name);
            if (error != _failing)
            {
                Log.StoreFails(_logger, error);
            }
        }
        else if (_failing is not null)
        {
            Log.StoreWorks(_logger);
        }

        _failing = swept.Error;

        return swept.Error is null && swept.Value == MaxAtOnce;
    }

    protected override async Task<TimeSpan?> RunRoundAsync(CancellationToken stop) =>
        !journal.IsOpen ? null : await SweepAsync(stop) ? Soon : Interval;

    private static partial class Log
    {
        [LoggerMessage(300, LogLevel.Error, "The journal cannot be swept: {Error}; tried again every five seconds")]
        public static partial void StoreFails(ILogger logger, QueueError error);

        [LoggerMessage(305, LogLevel.Information, "The journal can be used again")]
        public static partial void StoreWorks(ILogger logger);
    }
}
