using Prometheus;
using SendProxy.Queueing.Sqlite;
using SendProxy.Sqlite;

namespace SendProxy.Queueing;

/// <summary>Wires the journal.</summary>
internal static class QueueingSetup
{
    /// <param name="needed">Whether something in the configuration stores items.</param>
    public static IServiceCollection AddQueueing(this IServiceCollection services, JournalOptions options, bool needed)
    {
        services
            .AddSingleton<JournalMetrics>()
            .AddSingleton(s => new JournalHost(needed, cancellation => OpenSqliteAsync(s, options, cancellation)));
        return needed ? services.AddHostedService<SweepWorker>().AddHostedService<ItemCheckWorker>() : services;
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
