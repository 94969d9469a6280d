using Prometheus;
using SendProxy.Configuration;

namespace SendProxy;

/// <summary>
/// Applies a changed configuration while running. Looks at the content of its files once a second, since file watchers miss
/// Kubernetes' link swaps; applies a change that two looks in a row agree on; a bad one is told and the old one kept.
/// </summary>
internal sealed partial class Reload(
    string path, ProxySettings initial, Action<ProxySettings> apply, Action eachRound, IMetricFactory metrics, TimeProvider time, ILogger<Reload> logger)
    : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Counter _reloads = metrics.CreateCounter(
        "sendproxy_config_reloads_total", "Changes of the configuration that were looked at, by outcome.", ["outcome"]);

    private readonly Gauge _good = metrics.CreateGauge(
        "sendproxy_config_last_reload_successful", "1 while what is on disk is what is running.");

    private readonly bool _hasJournal = initial.NeedsJournal;
    private ProxySettings _running = initial;
    private string _seen = SettingsHash.Of(initial.Files);
    private string _applied = SettingsHash.Of(initial.Files);

    /// <summary>One look.</summary>
    public void Look()
    {
        eachRound();
        var hash = SettingsHash.Of(_running.Files);
        var settled = hash == _seen;
        _seen = hash;
        if (!settled || hash == _applied)
        {
            return;
        }

        _applied = hash;
        try
        {
            var next = ProxySettings.Load(path, Environment.GetEnvironmentVariable);
            if (Fixed(next) is { } name)
            {
                Refuse($"{name} cannot be changed while running; restart to change it");
                return;
            }

            apply(next);
            _running = next;
            _applied = _seen = SettingsHash.Of(next.Files);
            _good.Set(1);
            _reloads.WithLabels("applied").Inc();
            Log.Applied(logger, path);
        }
        catch (SettingsException e)
        {
            Refuse(string.Join("; ", e.Errors.Select(x => x.ToString())));
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _good.Set(1);
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            Look();
        }
    }

    private string? Fixed(ProxySettings next)
    {
        return next.Roles != _running.Roles ? "roles"
            : !next.Listen.Same(_running.Listen) ? "listen"
            : next.Fleet.Fingerprint != _running.Fleet.Fingerprint ? "fleet"
            : !next.Journal.Same(_running.Journal) ? "journal"
            : next.NeedsJournal && !_hasJournal ? "webhooks, whose journal was not needed at start,"
            : next.Telemetry != _running.Telemetry ? "telemetry"
            : next.Process.AllowCoreDumps != _running.Process.AllowCoreDumps ? "process.allowCoreDumps"
            : next.Shutdown != _running.Shutdown ? "shutdown"
            : null;
    }

    private void Refuse(string why)
    {
        _good.Set(0);
        _reloads.WithLabels("refused").Inc();
        Log.Refused(logger, path, why);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Configuration {Path} applied")]
        public static partial void Applied(ILogger logger, string path);

        [LoggerMessage(2, LogLevel.Error, "Configuration {Path} was changed and is refused; the old one stays in force: {Why}")]
        public static partial void Refused(ILogger logger, string path, string why);
    }
}
