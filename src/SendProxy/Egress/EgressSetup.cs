using SendProxy.Egress.Bodies;

namespace SendProxy.Egress;

/// <summary>Wires the local port.</summary>
internal static class EgressSetup
{
    public static IServiceCollection AddEgress(this IServiceCollection services)
    {
        services.AddHttpForwarder();
        return services
            .AddSingleton<EgressMetrics>()
            .AddSingleton<Recipients.RecipientMetrics>()
            .AddSingleton<BodyReader>()
            .AddSingleton<RequestPreparer>()
            .AddSingleton<OutboxBatch>()
            .AddSingleton<OutboxStage>()
            .AddSingleton(s => ActivatorUtilities.CreateInstance<Recipients.RecipientCheckFactory>(s, (Func<double>)s.GetRequiredService<Random>().NextDouble))
            .AddSingleton<ResponseMemory>()
            .AddSingleton<ResponseWriter>()
            .AddSingleton(s => ActivatorUtilities.CreateInstance<EgressTelemetry>(s, (Func<double>)s.GetRequiredService<Random>().NextDouble))
            .AddSingleton<EgressHandler>();
    }
}
