namespace SendProxy.Receiving;

/// <summary>Wires the webhooks listener.</summary>
internal static class ReceivingSetup
{
    public static IServiceCollection AddReceiving(this IServiceCollection services) => services
        .AddSingleton<WebhookMetrics>()
        .AddSingleton<WebhookBodies>()
        .AddSingleton(s => ActivatorUtilities.CreateInstance<WebhookTelemetry>(s, (Func<double>)s.GetRequiredService<Random>().NextDouble))
        .AddSingleton<WebhookHandler>();
}
