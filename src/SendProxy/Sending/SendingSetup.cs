namespace SendProxy.Sending;

/// <summary>Wires the sender.</summary>
internal static class SendingSetup
{
    public static IServiceCollection AddSending(this IServiceCollection services) => services
        .AddSingleton<SendingMetrics>()
        .AddSingleton<RateLimiting.LimitMetrics>()
        .AddSingleton(s => new RateLimiting.LimiterFactory(
            s.GetService<Redis.RedisLink>(), s.GetRequiredService<Redis.FleetOptions>(), s.GetRequiredService<RateLimiting.LimitMetrics>(),
            s.GetRequiredService<TimeProvider>(), s.GetRequiredService<Random>().NextDouble, s.GetRequiredService<ILogger<RateLimiting.LimiterFactory>>()))
        .AddSingleton<Upstreams.Credentials.CredentialMetrics>()
        .AddSingleton<Idempotency.IdempotencyMetrics>()
        .AddSingleton<Upstreams.Credentials.CredentialUsageTracker>()
        .AddSingleton<Upstreams.Connections.TlsFilesPoller>()
        .AddHostedService(s => s.GetRequiredService<Upstreams.Connections.TlsFilesPoller>())
        .AddSingleton<Idempotency.UnrecordedSends>()
        .AddSingleton<DetachedAttemptTracker>()
        .AddSingleton<ISender>(s => ActivatorUtilities.CreateInstance<Sender>(s, (Func<double>)s.GetRequiredService<Random>().NextDouble));
}
