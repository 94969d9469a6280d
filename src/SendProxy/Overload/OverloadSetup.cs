namespace SendProxy.Overload;

/// <summary>Wires the memory budget.</summary>
internal static class OverloadSetup
{
    public static IServiceCollection AddOverload(
        this IServiceCollection services, MemoryLimit memory, MemoryBudget budget, DataRateOptions rates) => services
        .AddSingleton(memory)
        .AddSingleton(budget)
        .AddSingleton(rates)
        .AddSingleton<DataRateMonitor>()
        .AddSingleton<RequestBodyReader>()
        .AddSingleton<OverloadMetrics>();
}
