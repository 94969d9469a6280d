using Prometheus;
using SendProxy.Configuration;
using SendProxy.Workers;

namespace SendProxy.Composition;

/// <summary>
/// Applies a changed configuration while running. Looks at the content of its files once a second, since file watchers miss
/// Kubernetes' link swaps; applies a change that two looks in a row agree on, and one that never settles after
/// <see cref="ContentSettling.MaxUnsettledLooks"/> looks; a bad one is told and the old one kept.
/// </summary>
internal sealed partial class Reload(
    string path, ProxySettings initial, Action<ProxySettings> apply, Action eachRound, IMetricFactory metrics, WorkerContext context)
    : PeriodicWorker("reload", context)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly Counter _reloads = metrics.CreateCounter(
        "sendproxy_config_reloads_total", "Changes of the configuration that were looked at, by outcome: `applied`, `refused` (the file is at fault), `failed` (a defect).", ["outcome"]);

    private readonly Gauge _good = metrics.CreateGauge(
        "sendproxy_config_last_reload_successful", "1 while what is on disk is what is running.");

    private readonly ILogger _logger = context.Loggers.CreateLogger<Reload>();
    private readonly bool _hasJournal = initial.NeedsJournal;
    private readonly ContentSettling _content = new(SettingsHash.Of(initial.Files));
    private ProxySettings _running = initial;

    // Of the last try as well: a refused configuration may name files that the running one does not.
    private IReadOnlyCollection<string> _files = initial.Files;

    /// <summary>One look. Whatever it throws, the old configuration stays in force.</summary>
    public void Look()
    {
        try
        {
            eachRound();
            var hash = SettingsHash.Of(_files);
            switch (_content.Look(hash))
            {
                case ContentLook.Settled:
                    TakeChange(hash, keepsChanging: false);
                    break;
                case ContentLook.Overdue:
                    TakeChange(hash, keepsChanging: true);
                    break;
                case ContentLook.Unchanged:
                case ContentLook.Unsettled:
                default:
                    break;
            }
        }
        catch
        {
            // What follows a defect is the loop's policy; here only what is said of the configuration.
            _good.Set(0);
            _reloads.WithLabels("failed").Inc();
            throw;
        }
    }

    private void TakeChange(string hash, bool keepsChanging)
    {
        var (next, errors, files) = TryLoad();
        if (keepsChanging && SettingsHash.Of(_files) != hash)
        {
            // It was written while it was read; the next look tries again.
            Log.Changing(_logger, path, ContentSettling.MaxUnsettledLooks);
            return;
        }

        _files = files;
        _content.Take(SettingsHash.Of(files));
        if (next is null)
        {
            Refuse(errors);
        }
        else if (Fixed(next) is { } name)
        {
            Refuse($"{name} cannot be changed while running; restart to change it");
        }
        else
        {
            apply(next);
            _running = next;
            _good.Set(1);
            _reloads.WithLabels("applied").Inc();
            Log.Applied(_logger, path);
            SettingsWarnings.Tell(_logger, next);
            if (keepsChanging)
            {
                Log.Changing(_logger, path, ContentSettling.MaxUnsettledLooks);
            }
        }
    }

    private (ProxySettings? Next, string Errors, IReadOnlyCollection<string> Files) TryLoad()
    {
        try
        {
            var next = ProxySettings.Load(path, Environment.GetEnvironmentVariable);
            return (next, "", next.Files);
        }
        catch (SettingsException e)
        {
            return (null, string.Join("; ", e.Errors.Select(x => x.ToString())), [.. _running.Files.Union(e.Files, StringComparer.Ordinal)]);
        }
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _good.Set(1);
        return base.StartAsync(cancellationToken);
    }

    protected override Task<TimeSpan?> RunRoundAsync(CancellationToken stop)
    {
        Look();
        return Task.FromResult<TimeSpan?>(Interval);
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
        Log.Refused(_logger, path, why);
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Configuration {Path} applied")]
        public static partial void Applied(ILogger logger, string path);

        [LoggerMessage(2, LogLevel.Error, "Configuration {Path} was changed and is refused; the old one stays in force: {Why}")]
        public static partial void Refused(ILogger logger, string path, string why);

        [LoggerMessage(4, LogLevel.Warning,
            "The files of configuration {Path} differ at each of {Looks} looks, one a second: something rewrites them all the time. Changes are applied late because of it")]
        public static partial void Changing(ILogger logger, string path, int looks);
    }
}
