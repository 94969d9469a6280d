using Prometheus;
using SendProxy.Queueing.Redis;
using SendProxy.Queueing.Sqlite;
using SendProxy.Redis;
using SendProxy.Secrets;
using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;
using SendProxy.Workers;

namespace SendProxy.Queueing;

/// <summary>Wires the journal.</summary>
internal static class QueueingSetup
{
    /// <param name="needed">Whether something in the configuration stores items.</param>
    /// <param name="fleet">The journal's Redis where it has none of its own.</param>
    public static IServiceCollection AddQueueing(this IServiceCollection services, JournalOptions options, RedisOptions? fleet, bool needed)
    {
        services
            .AddSingleton<JournalMetrics>()
            .AddSingleton(s => new JournalHost(needed, cancellation => options.Kind == JournalKind.Redis
                ? OpenRedisAsync(s, options, options.RedisOf(fleet), cancellation)
                : OpenSqliteAsync(s, options, cancellation)));
        return needed ? services.AddHostedService<SweepWorker>().AddHostedService<ItemCheckWorker>() : services;
    }

    // A connection of its own: a large body on its way holds up no limit's call.
    private static async Task<OpenedJournal> OpenRedisAsync(IServiceProvider services, JournalOptions options, RedisOptions redis, CancellationToken cancellation)
    {
        var (metrics, context) = (services.GetRequiredService<IMetricFactory>(), services.GetRequiredService<WorkerContext>());
        var keys = SealKeys.Load(options.SealKeys);
        var link = new RedisLink(
            redis, services.GetRequiredService<SecretPoller>(), RedisMetrics.OfJournal(metrics), context.Time, services.GetRequiredService<ILogger<RedisLink>>());
        var journal = new RedisJournal(options, link, keys, metrics, context, new RedisJournalParts(services.GetRequiredService<Random>().NextDouble));
        try
        {
            await journal.OpenAsync(cancellation);
            return new OpenedJournal(new RedisMessageQueue(journal), link, keys);
        }
        catch
        {
            await journal.DisposeAsync();
            await link.DisposeAsync();
            throw;
        }
    }

    private static async Task<OpenedJournal> OpenSqliteAsync(IServiceProvider services, JournalOptions options, CancellationToken cancellation)
    {
        var time = services.GetRequiredService<TimeProvider>();
        var journal = SqliteJournal.Open(options.ToSqlite(), services.GetRequiredService<JournalMetrics>(), time);
        try
        {
            var queue = await SqliteMessageQueue.OpenAsync(options, journal, services.GetRequiredService<IMetricFactory>(), time,
                services.GetRequiredService<ILogger<SqliteMessageQueue>>(), cancellation);
            return new OpenedJournal(queue, journal, queue.Sealing.Keys, new SealedJournalFile(journal, queue.Sealing));
        }
        catch
        {
            await journal.DisposeAsync();
            throw;
        }
    }
}
