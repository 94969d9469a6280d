namespace SendProxy.Receiving;

/// <summary>Wires the webhooks listener.</summary>
internal static class ReceivingSetup
{
    public static IServiceCollection AddReceiving(this IServiceCollection services) => services
        .AddSingleton<WebhookMetrics>()
        .AddSingleton<WebhookBodies>()
        .AddSingleton<WebhookTelemetry>()
        .AddSingleton<WebhookHandler>();
}
