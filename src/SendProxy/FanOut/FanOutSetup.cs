namespace SendProxy.FanOut;

/// <summary>Wires the way out to subscribers.</summary>
internal static class FanOutSetup
{
    public static IServiceCollection AddFanOut(this IServiceCollection services, bool works)
    {
        services
            .AddSingleton<FanOutMetrics>()
            .AddSingleton<SubscriberClient>()
            .AddSingleton<DeliveryAttempt>()
            .AddSingleton<DeliveryTelemetry>()
            .AddSingleton<Deliverer>();
        return works
            ? services.AddHostedService<FanOutWorker>().AddHostedService<DeliveryWorker>()
            : services;
    }
}
