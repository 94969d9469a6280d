using SendProxy.Configuration;
using SendProxy.Egress;
using SendProxy.FanOut;
using SendProxy.Hosting;
using SendProxy.Metrics;
using SendProxy.Outbox;
using SendProxy.Outbox.Worker;
using SendProxy.Queueing;
using SendProxy.Receiving;
using SendProxy.Redis;
using SendProxy.Secrets;
using SendProxy.Sending;

namespace SendProxy.Composition;

/// <summary>Puts the rooms together. Each step below is a file of this folder, or the setup of the room that it names.</summary>
internal static class ProxyHost
{
    /// <param name="path">The configuration's file.</param>
    /// <param name="output">Where log lines go.</param>
    public static WebApplication Build(string path, ProxySettings settings, Stream output)
    {
        // Empty: nothing of ASPNETCORE_ variables, appsettings files or default logging can change what the file says.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        var resources = ProcessResources.Take(path, settings);
        builder.AddListeners(settings, resources);

        var services = builder.Services;
        services.AddProcess(settings, resources);
        services.AddLogLines(settings.Telemetry, output);
        services.AddProxyMetrics();
        services.AddSecrets();
        services.AddRedis(settings.Fleet);
        services.AddQueueing(settings.Journal, settings.Fleet.Redis, settings.NeedsJournal);
        services.AddSending();
        services.AddIdempotencyStore(settings);
        services.AddEgress();
        services.AddReceiving();
        services.AddFanOut(settings.NeedsJournal && settings.Roles.HasFlag(Roles.Worker));
        services.AddOutbox(settings.SendsOutbox, WantedEvents);
        services.AddHealthAndAdmin(settings);
        services.AddLiveState(path, settings);
        services.AddStartOrder();
        services.AddDraining(settings.Shutdown);

        var app = builder.Build();
        SettingsWarnings.Tell(app.Logger, settings);
        app.DispatchByListener();
        return app;
    }

    // An event that nobody wants is not stored.
    private static Func<string, bool> WantedEvents(IServiceProvider services)
    {
        var live = services.GetRequiredService<Live<FanOutState>>();
        return type => live.Current.Subscribers.Values.Any(s => s.Wants(EndEvents.Source, type));
    }
}
