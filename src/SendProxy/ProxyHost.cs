using System.Net.Sockets;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Prometheus;
using SendProxy.Admin;
using SendProxy.Configuration;
using SendProxy.Egress;
using SendProxy.FanOut;
using SendProxy.Hosting;
using SendProxy.Metrics;
using SendProxy.Overload;
using SendProxy.Queueing;
using SendProxy.Receiving;
using SendProxy.Redis;
using SendProxy.Secrets;
using SendProxy.Sending;
using SendProxy.Sending.Idempotency;
using SendProxy.Telemetry;

namespace SendProxy;

/// <summary>Puts the rooms together: services, listeners, reload.</summary>
internal static class ProxyHost
{
    // For what must be written after the drain time: leases given back, the journal closed.
    private static readonly TimeSpan StopSlack = TimeSpan.FromSeconds(10);

    /// <param name="output">Where log lines go.</param>
    public static WebApplication Build(string path, ProxySettings settings, Stream output)
    {
        var dumps = CoreDumps.Set(settings.Process.AllowCoreDumps);
        var memory = MemoryLimit.OfThisProcess;
        var budget = new MemoryBudget(settings.Process.BudgetOf(memory), settings.Roles.HasFlag(Roles.Egress | Roles.Webhooks));

        // Empty: nothing of ASPNETCORE_ variables, appsettings files or default logging can change what the file says.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        var bound = new BoundListeners();
        var admin = AdminSocket.Open(settings.AdminPlaces(path));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => Listeners.Bind(
            k, settings.Listen, settings.Roles, admin, bound, k.ApplicationServices.GetRequiredService<ConnectionLimiter>));
        builder.Services.Configure<SocketTransportOptions>(o =>
        {
            // Two hand-overs between threads less for each request; it still runs on a worker of the pool, not on the thread that polls (docs/decisions/0020).
            o.UnsafePreferInlineScheduling = true;
            o.MaxReadBufferSize = ConnectionOptions.ReadAheadBytes;
            o.CreateBoundListenSocket = endpoint =>
                endpoint is not UnixDomainSocketEndPoint unix ? SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint)
                : unix.ToString() == admin.Path ? admin.Bound!
                : UnixSocket.Bind(unix.ToString(), settings.Listen.SocketMode);
        });
        var services = builder.Services
            .AddSingleton(TimeProvider.System)
            .AddSingleton<Func<double>>(Random.Shared.NextDouble)
            .AddSingleton(settings.Telemetry).AddSingleton(settings.Shutdown).AddSingleton(bound).AddSingleton(admin).AddSingleton(dumps)
            .AddSingleton(settings)
            .AddOverload(memory, budget, settings.Listen.Rates)
            .AddSingleton<ConnectionMetrics>().AddSingleton(s => Connections(s, settings))
            .AddProxyMetrics().AddSecrets().AddSending().AddEgress()
            .AddQueueing(settings.Journal, settings.NeedsJournal).AddReceiving()
            .AddFanOut(settings.NeedsJournal && settings.Roles.HasFlag(Roles.Worker))
            .AddRedis(settings.Fleet)
            .AddSingleton<Func<FleetIdempotencyStore?>>(s => () => FleetIdempotencyStore.Open(s, settings))
            .AddSingleton<IdempotencyStoreHost>().AddHostedService(s => s.GetRequiredService<IdempotencyStoreHost>())
            .AddSingleton<Func<IIdempotencyStore?>>(s => () => s.GetRequiredService<IdempotencyStoreHost>().Store)
            .AddSingleton<HooksComposer>()
            .AddSingleton(s => new Live<ReceivingState>(s.GetRequiredService<HooksComposer>().Receiving(settings, null)))
            .AddSingleton(s => new Live<FanOutState>(s.GetRequiredService<HooksComposer>().FanOut(settings)))
            .Configure<HostOptions>(h => h.ShutdownTimeout = settings.Shutdown.Drain + StopSlack)
            .AddSingleton(s => new LogSink(s.GetRequiredService<IMetricFactory>(), output))
            .AddSingleton<HealthHandler>()
            .AddSingleton<AdminHandler>().AddSingleton<JournalAdmin>().AddSingleton<WebhooksAdmin>()
            .AddSingleton<EgressComposer>()
            .AddSingleton<IQuiet>(s => s.GetRequiredService<EgressHandler>())
            .AddSingleton<DrainingLifetime>()
            .AddSingleton<IHostLifetime>(s => s.GetRequiredService<DrainingLifetime>())
            .AddSingleton<IDraining>(s => s.GetRequiredService<DrainingLifetime>())
            .AddSingleton(s => new Live<EgressState>(s.GetRequiredService<EgressComposer>().Compose(settings)))
            .AddHostedService(s => Reloading(s, path, settings));
        if (settings.Webhooks.NeedsJournal(settings.Roles))
        {
            // Sends need no journal: what only keeps idempotency keys never takes the application's pod out of service.
            services.AddSingleton<IReadiness, JournalReadiness>();
        }

        if (settings.Fleet.Redis is not null)
        {
            services.AddHostedService<KeyFleet>();
        }

        // Its lines say nothing that ours do not; while it is on, the host makes an Activity for each request, and the metrics an exemplar of it.
        services.AddLogging(l => l.SetMinimumLevel(settings.Telemetry.Level).AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None));
        services.AddSingleton<ILoggerProvider>(s => new JsonLoggerProvider(
            s.GetRequiredService<LogSink>(), s.GetRequiredService<TimeProvider>(), settings.Telemetry.Level));

        var app = builder.Build();
        Route(app);
        return app;
    }

    private static void Route(WebApplication app)
    {
        var egress = app.Services.GetRequiredService<EgressHandler>();
        var webhooks = app.Services.GetRequiredService<WebhookHandler>();
        var admins = app.Services.GetRequiredService<AdminHandler>();
        var health = app.Services.GetRequiredService<HealthHandler>();
        var draining = app.Services.GetRequiredService<DrainingLifetime>();
        var time = app.Services.GetRequiredService<TimeProvider>();
        _ = app.Services.GetRequiredService<OverloadMetrics>();
        app.Run(context =>
        {
            var connection = context.Features.GetRequiredFeature<ListenerConnection>();
            connection.RequestStarted();
            if (draining.Stopping)
            {
                // The caller's next request must not meet a connection that is about to close.
                context.Response.Headers.Connection = "close";
            }

            // The first two tell the connection themselves that the request has ended.
            return connection.Kind switch
            {
                ListenerKind.Egress => egress.HandleAsync(context),
                ListenerKind.Webhooks => webhooks.HandleAsync(context),
                ListenerKind.Admin => EndedAsync(admins.HandleAsync(context), connection, time),
                _ => EndedAsync(health.HandleAsync(context), connection, time),
            };
        });
    }

    private static async Task EndedAsync(Task handling, ListenerConnection connection, TimeProvider time)
    {
        try
        {
            await handling;
        }
        finally
        {
            connection.RequestEnded(time.GetTimestamp());
        }
    }

    private static ConnectionLimiter Connections(IServiceProvider services, ProxySettings settings)
    {
        var budget = services.GetRequiredService<MemoryBudget>();
        var connections = settings.Listen.Connections;
        return new ConnectionLimiter(
            kind => connections.Of(kind, budget.Bytes, settings.Roles) is var all
                ? new ConnectionBounds(all, connections.OfAddress(kind, all, settings.Guard.AllowRemote))
                : default,
            budget, services.GetRequiredService<ConnectionMetrics>(), services.GetRequiredService<DataRateMonitor>(),
            services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<ConnectionLimiter>>());
    }

    private static Reload Reloading(IServiceProvider services, string path, ProxySettings settings)
    {
        var composer = services.GetRequiredService<EgressComposer>();
        var live = services.GetRequiredService<Live<EgressState>>();
        var hooks = services.GetRequiredService<HooksComposer>();
        var receiving = services.GetRequiredService<Live<ReceivingState>>();
        var fanOut = services.GetRequiredService<Live<FanOutState>>();
        var budget = services.GetRequiredService<MemoryBudget>();
        var memory = services.GetRequiredService<MemoryLimit>();
        return new Reload(
            path, settings,
            next =>
            {
                budget.Bytes = next.Process.BudgetOf(memory);
                live.Swap(composer.Compose(next));
                hooks.Apply(next, receiving, fanOut);
            },
            composer.EndRetired,
            services.GetRequiredService<IMetricFactory>(), services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<Reload>>());
    }
}
