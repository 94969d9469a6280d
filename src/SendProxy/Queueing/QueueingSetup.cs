using Prometheus;
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
            .AddSingleton<WorkerMetrics>()
            .AddSingleton(s => new JournalKeeper(
                options, needed, s.GetRequiredService<JournalMetrics>(), s.GetRequiredService<IMetricFactory>(), s.GetRequiredService<TimeProvider>()));
        return needed ? services.AddHostedService<SweepWorker>() : services;
    }
}
