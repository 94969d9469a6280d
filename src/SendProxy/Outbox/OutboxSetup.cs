using SendProxy.Configuration;
using SendProxy.Outbox.Handover;
using SendProxy.Outbox.Intake;
using SendProxy.Outbox.Messages;
using SendProxy.Outbox.Status;
using SendProxy.Outbox.Worker;
using SendProxy.Queueing;
using SendProxy.Workers;

namespace SendProxy.Outbox;

/// <summary>Wires the outbox.</summary>
internal static class OutboxSetup
{
    /// <param name="works">Whether this process sends what is stored.</param>
    /// <param name="wanted">Whether a subscriber wants an event of this type.</param>
    public static IServiceCollection AddOutbox(this IServiceCollection services, bool works, Func<IServiceProvider, Func<string, bool>> wanted)
    {
        services
            .AddSingleton<OutboxMetrics>()
            .AddSingleton<OutboxDepth>()
            .AddSingleton<OutboxSignals>()
            .AddSingleton<OutboxIntake>()
            .AddSingleton<OutboxEndpoint>()
            .AddSingleton<OutboxTelemetry>()
            .AddSingleton<MessageObservers>()
            .AddSingleton(s => ActivatorUtilities.CreateInstance<EndEvents>(s, wanted(s)))
            .AddSingleton(s => ActivatorUtilities.CreateInstance<MessageMover>(s, Draw(s)))
            .AddSingleton<MessageSender>()
            .AddSingleton<MessageHandover>()
            .AddSingleton<Func<string, UpstreamLoop>>(s => upstream => new UpstreamLoop(
                new UpstreamRamp(upstream, () => s.GetRequiredService<Live<OutboxRoutes>>().Current.Options, s.GetRequiredService<TimeProvider>(), Draw(s)),
                s.GetRequiredService<JournalHost>(), s.GetRequiredService<Live<OutboxRoutes>>(), s.GetRequiredService<MessageSender>(),
                s.GetRequiredService<OutboxMetrics>(), s.GetRequiredService<WorkerContext>()));
        return works ? services.AddHostedService<OutboxWorker>().AddHostedService<ExpiryWorker>() : services;
    }

    private static Func<double> Draw(IServiceProvider services) => services.GetRequiredService<Random>().NextDouble;
}
