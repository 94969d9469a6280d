namespace SendProxy.Secrets;

/// <summary>Wires secrets: one poller for all sources.</summary>
internal static class SecretsSetup
{
    public static IServiceCollection AddSecrets(this IServiceCollection services) => services
        .AddSingleton<SecretMetrics>()
        .AddSingleton<SecretPoller>()
        .AddHostedService(s => s.GetRequiredService<SecretPoller>());
}
