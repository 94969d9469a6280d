namespace SendProxy.Sending;

/// <summary>Wires the sender.</summary>
internal static class SendingSetup
{
    public static IServiceCollection AddSending(this IServiceCollection services) => services
        .AddSingleton<SendingMetrics>()
        .AddSingleton<RateLimiting.LimitMetrics>()
        .AddSingleton<Upstreams.CredentialMetrics>()
        .AddSingleton<Idempotency.IdempotencyMetrics>()
        .AddSingleton<Idempotency.IdempotencyGate>()
        .AddSingleton<Upstreams.KeyBook>()
        .AddSingleton<Settler>()
        .AddSingleton<ISender, Sender>();
}
