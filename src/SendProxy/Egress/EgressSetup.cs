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
            .AddSingleton<BodyReader>()
            .AddSingleton<Recipients.RecipientCheckFactory>()
            .AddSingleton<ResponseMemory>()
            .AddSingleton<ResponseWriter>()
            .AddSingleton<EgressTelemetry>()
            .AddSingleton<EgressHandler>();
    }
}
