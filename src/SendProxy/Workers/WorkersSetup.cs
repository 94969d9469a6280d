namespace SendProxy.Workers;

/// <summary>Wires what every worker needs.</summary>
internal static class WorkersSetup
{
    public static IServiceCollection AddWorkers(this IServiceCollection services) =>
        services.AddSingleton<WorkerMetrics>().AddSingleton<WorkerContext>();
}
