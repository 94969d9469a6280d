using Prometheus;
using SendProxy.Workers;

namespace SendProxy.Queueing;

/// <summary>
/// Reads at the start, and once a day, all that is stored and may still be needed, in small steps beside the work: a loss is
/// told when it happens to the disk, not when somebody misses a message.
/// </summary>
internal sealed partial class ItemCheckWorker(JournalHost journal, IMetricFactory metrics, WorkerContext context)
    : PeriodicWorker(Name, context)
{
    private const string Name = "check";
    private static readonly TimeSpan Interval = TimeSpan.FromDays(1);

    // The worker comes round more often than it checks, so that its progress can be watched like that of the others.
    private static readonly TimeSpan Look = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromMinutes(1);

    // At most 1 MiB a step: some 50 MiB a second, and no commit waits for more than one step.
    private static readonly TimeSpan BetweenSteps = TimeSpan.FromMilliseconds(20);

    private readonly ILogger _logger = context.Loggers.CreateLogger<ItemCheckWorker>();

    private DateTimeOffset _due = DateTimeOffset.MinValue;

    private readonly Gauge _damaged = metrics.CreateGauge(
        "sendproxy_journal_damaged_items", "Stored items that the last check found damaged or gone.");

    /// <summary>One whole check.</summary>
    /// <returns>False when the store failed in the middle.</returns>
    public async Task<bool> CheckAsync(CancellationToken cancellation)
    {
        var (items, damaged, lost) = (0L, 0L, 0L);
        string? cursor = null;
        do
        {
            var step = await journal.Queue.CheckAsync(cursor, cancellation);
            Worker.Progressed(Name);
            if (step.Value is not { } read)
            {
                Worker.Failed(Name);
                return false;
            }

            (items, damaged, lost, cursor) = (items + read.Items, damaged + read.Damaged, lost + read.Lost, read.Next);
            if (cursor is not null)
            {
                await Task.Delay(BetweenSteps, Time, cancellation);
            }
        }
        while (cursor is not null);
        _damaged.Set(damaged + lost);
        if (damaged + lost > 0)
        {
            Log.HasDamage(_logger, items, damaged, lost);
        }
        else
        {
            Log.IsWhole(_logger, items);
        }

        return true;
    }

    protected override async Task<TimeSpan?> RunRoundAsync(CancellationToken stop)
    {
        if (!journal.IsOpen)
        {
            return null;
        }

        if (Time.GetUtcNow() >= _due)
        {
            _due = Time.GetUtcNow() + (await CheckAsync(stop) ? Interval : AfterFailure);
        }

        return Look;
    }

    private static partial class Log
    {
        [LoggerMessage(307, LogLevel.Error,
            "The journal is damaged: of {Items} stored items {Damaged} do not open and {Lost} cannot be read. Each is named above")]
        public static partial void HasDamage(ILogger logger, long items, long damaged, long lost);

        [LoggerMessage(308, LogLevel.Information, "The journal was checked: all {Items} stored items that may still be needed open")]
        public static partial void IsWhole(ILogger logger, long items);
    }
}
