using SendProxy.Configuration;
using SendProxy.Queueing;
using SendProxy.Workers;

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
            .AddSingleton(s => ActivatorUtilities.CreateInstance<DeliveryTelemetry>(s, (Func<double>)s.GetRequiredService<Random>().NextDouble))
            .AddSingleton(s => ActivatorUtilities.CreateInstance<Deliverer>(s, (Func<double>)s.GetRequiredService<Random>().NextDouble))
            .AddSingleton<Func<string, SubscriberLoop>>(s => name => new SubscriberLoop(
                name, s.GetRequiredService<JournalHost>(), s.GetRequiredService<Live<FanOutState>>(), s.GetRequiredService<Deliverer>(),
                s.GetRequiredService<FanOutMetrics>(), s.GetRequiredService<WorkerContext>()));
        return works
            ? services.AddHostedService<FanOutWorker>().AddHostedService<DeliveryWorker>()
            : services;
    }
}
