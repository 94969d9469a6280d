using SendProxy.Queueing;
using SendProxy.Sending.Idempotency;

namespace SendProxy;

/// <summary>The store of idempotency keys: beside the journal's items where there is a journal, else none. Sweeps it.</summary>
internal sealed partial class KeyKeeper(JournalKeeper journal, IdempotencyMetrics metrics, TimeProvider time, ILogger<KeyKeeper> logger)
    : BackgroundService
{
    private const int SweepItems = 500;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private SqliteIdempotencyStore? _store;

    public IIdempotencyStore? Store => _store;

    /// <summary>Once the journal is open, and before anything listens.</summary>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        if (journal.Opened?.Keys is { } keys)
        {
            _store = new SqliteIdempotencyStore(keys.Journal, keys.Seal, time);
            await _store.RecoverAsync(cancellation);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (_store is { } store && await timer.WaitForNextTickAsync(stoppingToken))
        {
            // Small steps: a commit with one takes no longer than others. What is left goes in the next rounds.
            if (await store.SweepAsync(SweepItems, stoppingToken) is { } swept)
            {
                metrics.Swept(swept);
            }
            else
            {
                Log.SweepFailed(logger);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(310, LogLevel.Warning, "Idempotency keys could not be swept; tried again in some seconds")]
        public static partial void SweepFailed(ILogger logger);
    }
}
