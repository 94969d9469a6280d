using Prometheus;
using SendProxy.Admin;
using SendProxy.Configuration;
using SendProxy.Egress;
using SendProxy.FanOut;
using SendProxy.Hosting;
using SendProxy.Outbox.Messages;
using SendProxy.Overload;
using SendProxy.Receiving;
using SendProxy.Sending.Idempotency;
using SendProxy.Telemetry;
using SendProxy.Workers;

namespace SendProxy.Composition;

/// <summary>Services that belong to no room, or put several together.</summary>
internal static class ServiceSetup
{
    // For what must be written after the drain time: leases given back, the journal closed.
    private static readonly TimeSpan StopSlack = TimeSpan.FromSeconds(10);

    /// <summary>Time, randomness, settings, and what the process took of its machine.</summary>
    public static void AddProcess(this IServiceCollection services, ProxySettings settings, ProcessResources resources) => services
        .AddSingleton(TimeProvider.System)
        .AddSingleton(Random.Shared)
        .AddSingleton(settings)
        .AddSingleton(resources.Dumps)
        .AddWorkers()
        .AddOverload(resources.Memory, resources.Budget, settings.Listen.Rates);

    public static void AddLogLines(this IServiceCollection services, TelemetryOptions telemetry, Stream output)
    {
        services.AddSingleton(telemetry);
        services.AddSingleton(s => new LogSink(s.GetRequiredService<IMetricFactory>(), output));
        services.AddSingleton<ILoggerProvider>(s => new JsonLoggerProvider(s.GetRequiredService<LogSink>(), s.GetRequiredService<TimeProvider>(), telemetry.Level));

        // Its lines say nothing that ours do not; while it is on, the host makes an Activity for each request, and the metrics an exemplar of it.
        // The host's own say with an exception's text what Serving says with the remedy.
        services.AddLogging(l => l.SetMinimumLevel(telemetry.Level)
            .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None)
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None));
    }

    public static void AddIdempotencyStore(this IServiceCollection services, ProxySettings settings)
    {
        services.AddSingleton(s => ActivatorUtilities.CreateInstance<IdempotencyStoreHost>(
            s, (Func<FleetIdempotencyStore?>)(() => FleetIdempotencyStore.Open(s, settings))));
        services.AddHostedService(s => s.GetRequiredService<IdempotencyStoreHost>());
        services.AddSingleton(s => ActivatorUtilities.CreateInstance<IdempotencyGate>(s, Store(s)));
        services.AddSingleton(s => ActivatorUtilities.CreateInstance<JournalAdmin>(s, Store(s)));
        if (settings.Fleet.Redis is not null)
        {
            services.AddHostedService<CredentialUsageSync>();
        }
    }

    public static void AddHealthAndAdmin(this IServiceCollection services, ProxySettings settings)
    {
        services.AddSingleton<HealthHandler>().AddSingleton<AdminHandler>().AddSingleton<WebhooksAdmin>().AddSingleton<OutboxAdmin>();
        if (settings.Webhooks.NeedsJournal(settings.Roles))
        {
            // Sends need no journal: what only keeps idempotency keys never takes the application's pod out of service.
            services.AddSingleton<IReadiness, JournalReadiness>();
        }
    }

    /// <summary>What the listeners run on, made of the settings and swapped whole at a reload.</summary>
    public static void AddLiveState(this IServiceCollection services, string path, ProxySettings settings) => services
        .AddSingleton<ReplacedResources>()
        .AddSingleton<UpstreamComposer>()
        .AddSingleton<EgressComposer>()
        .AddSingleton<WebhooksComposer>()
        .AddSingleton(s => new Live<EgressState>(s.GetRequiredService<EgressComposer>().Compose(settings)))
        .AddSingleton(s => new Live<OutboxRoutes>(OutboxComposer.Compose(settings, s.GetRequiredService<Live<EgressState>>().Current)))
        .AddSingleton(s => new Live<ReceivingState>(s.GetRequiredService<WebhooksComposer>().Receiving(settings, null)))
        .AddSingleton(s => new Live<FanOutState>(s.GetRequiredService<WebhooksComposer>().FanOut(settings)))
        .AddSingleton<LiveState>()
        .AddSingleton<SettingsApplier>()
        .AddHostedService(s => ActivatorUtilities.CreateInstance<Reload>(
            s, path, settings, (Action<ProxySettings>)s.GetRequiredService<SettingsApplier>().Apply, (Action)s.GetRequiredService<ReplacedResources>().EndRetired));

    /// <summary>What must be there before anything listens, in its order.</summary>
    public static void AddStartOrder(this IServiceCollection services) => services.AddHostedService<StartOrder>();

    public static void AddDraining(this IServiceCollection services, ShutdownOptions shutdown) => services
        .AddSingleton(shutdown)
        .AddSingleton<DrainingLifetime>()
        .AddSingleton<IHostLifetime>(s => s.GetRequiredService<DrainingLifetime>())
        .AddSingleton<IDraining>(s => s.GetRequiredService<DrainingLifetime>())
        .AddSingleton<IRequestActivity>(s => s.GetRequiredService<EgressHandler>())
        .Configure<HostOptions>(h => h.ShutdownTimeout = shutdown.Drain + StopSlack);

    // The store is known only once the host has started.
    private static Func<IIdempotencyStore?> Store(IServiceProvider services)
    {
        var host = services.GetRequiredService<IdempotencyStoreHost>();
        return () => host.Store;
    }
}
