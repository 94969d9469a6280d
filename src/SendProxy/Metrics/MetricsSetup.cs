using Prometheus;

namespace SendProxy.Metrics;

/// <summary>Wires one registry for the host. Series stand in their rooms; docs/METRICS.md is checked against all of them.</summary>
internal static class MetricsSetup
{
    public static IServiceCollection AddProxyMetrics(this IServiceCollection services)
    {
        // One registry per host: the library's default registry is process-wide, and parallel tests would share it.
        var registry = Prometheus.Metrics.NewCustomRegistry();
        var factory = Prometheus.Metrics.WithCustomRegistry(registry);

        // Nothing here is traced: without this each increment looks for an Activity to name.
        factory.ExemplarBehavior = ExemplarBehavior.NoExemplars();
        return services.AddSingleton(registry).AddSingleton<IMetricFactory>(factory);
    }
}
