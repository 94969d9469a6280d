using Microsoft.AspNetCore.Http.Features;
using Prometheus;
using SendProxy.Admin;
using SendProxy.Configuration;
using SendProxy.Egress;
using SendProxy.Hosting;
using SendProxy.Metrics;
using SendProxy.Secrets;
using SendProxy.Sending;
using SendProxy.Telemetry;

namespace SendProxy;

/// <summary>Puts the rooms together: services, listeners, reload.</summary>
internal static class ProxyHost
{
    /// <param name="output">Where log lines go.</param>
    public static WebApplication Build(string path, ProxySettings settings, Stream output)
    {
        // Empty: nothing of ASPNETCORE_ variables, appsettings files or default logging can change what the file says.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => Listeners.Bind(k, settings.Listen, settings.Roles));
        var services = builder.Services
            .AddSingleton(TimeProvider.System)
            .AddSingleton<Func<double>>(Random.Shared.NextDouble)
            .AddSingleton(settings.Telemetry).AddSingleton(settings.Shutdown)
            .AddProxyMetrics().AddSecrets().AddSending().AddEgress()
            .AddSingleton(s => new LogSink(s.GetRequiredService<IMetricFactory>(), output))
            .AddSingleton<HealthHandler>()
            .AddSingleton<EgressComposer>()
            .AddSingleton<IQuiet>(s => s.GetRequiredService<EgressHandler>())
            .AddSingleton<IHostLifetime, DrainingLifetime>()
            .AddSingleton(s => new Live<EgressState>(s.GetRequiredService<EgressComposer>().Compose(settings)))
            .AddHostedService(s => Reloading(s, path, settings));
        services.AddLogging(l => l.SetMinimumLevel(settings.Telemetry.Level));
        services.AddSingleton<ILoggerProvider>(s => new JsonLoggerProvider(
            s.GetRequiredService<LogSink>(), s.GetRequiredService<TimeProvider>(), settings.Telemetry.Level));

        var app = builder.Build();
        var egress = app.Services.GetRequiredService<EgressHandler>();
        var health = app.Services.GetRequiredService<HealthHandler>();
        app.Run(context => context.Features.GetRequiredFeature<ListenerTag>().Kind switch
        {
            ListenerKind.Egress => egress.HandleAsync(context),
            _ => health.HandleAsync(context),
        });
        return app;
    }

    private static Reload Reloading(IServiceProvider services, string path, ProxySettings settings)
    {
        var composer = services.GetRequiredService<EgressComposer>();
        var live = services.GetRequiredService<Live<EgressState>>();
        return new Reload(
            path, settings, next => live.Swap(composer.Compose(next)), composer.EndRetired,
            services.GetRequiredService<IMetricFactory>(), services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILogger<Reload>>());
    }
}
