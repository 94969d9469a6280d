using SendProxy.Queueing;
using SendProxy.Redis;
using SendProxy.Secrets.Sealing;
using SendProxy.Sending.Idempotency;
using SendProxy.Workers;

namespace SendProxy.Composition;

/// <summary>
/// The store of idempotency keys: the fleet's Redis where there is one, else beside the journal's items where there is a
/// journal, else none. Sweeps the file; Redis forgets by itself.
/// </summary>
/// <param name="fleet">Makes the store in Redis; null where there is none.</param>
internal sealed partial class IdempotencyStoreHost(
    JournalHost journal, Func<FleetIdempotencyStore?> fleet, IdempotencyMetrics metrics, WorkerContext context)
    : PeriodicWorker("idempotency", context)
{
    private const int SweepItems = 500;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly ILogger _logger = context.Loggers.CreateLogger<IdempotencyStoreHost>();
    private SqliteIdempotencyStore? _store;

    public IIdempotencyStore? Store { get; private set; }

    /// <summary>Once the journal is open, and before anything listens. Does not wait for Redis.</summary>
    /// <exception cref="Secrets.Sealing.SealKeyUnavailableException">With path, reason and remedy.</exception>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        if (fleet() is { } keys)
        {
            Store = keys.Store;
            keys.Link.Start();
        }
        else if (journal.Opened?.Keys is { } file)
        {
            Store = _store = new SqliteIdempotencyStore(file.Journal, file.Seal, Time);
            await _store.RecoverAsync(cancellation);
        }
    }

    protected override async Task<TimeSpan?> RunRoundAsync(CancellationToken stop)
    {
        if (_store is not { } store)
        {
            return null;
        }

        // Small steps: a commit with one takes no longer than others. What is left goes in the next rounds.
        if (await store.SweepAsync(SweepItems, stop) is { } swept)
        {
            metrics.Swept(swept);
        }
        else
        {
            Worker.Failed("idempotency");
            Log.SweepFailed(_logger);
        }

        return Interval;
    }

    private static partial class Log
    {
        [LoggerMessage(310, LogLevel.Warning, "Idempotency keys could not be swept; tried again in some seconds")]
        public static partial void SweepFailed(ILogger logger);
    }
}

/// <summary>The store of keys in the fleet's Redis, and the link to be started once it is made.</summary>
internal sealed record FleetIdempotencyStore(RedisIdempotencyStore Store, RedisLink Link)
{
    /// <returns>Null where the configuration names no Redis.</returns>
    public static FleetIdempotencyStore? Open(IServiceProvider services, ProxySettings settings)
    {
        if (services.GetService<RedisLink>() is not { } link || !settings.KeepsKeysInRedis)
        {
            return null;
        }

        var seal = new ItemSeal(SealKeys.Load(settings.Journal.SealKeys));
        return new FleetIdempotencyStore(
            new RedisIdempotencyStore(link, seal, services.GetRequiredService<TimeProvider>(), services.GetRequiredService<Random>().NextDouble), link);
    }
}
