using System.Collections.Concurrent;
using Prometheus;
using SendProxy.Workers;

namespace SendProxy.Upstreams.Connections;

/// <summary>Looks at the certificates of all upstreams once a second and tells what changed.</summary>
internal sealed partial class TlsFilesPoller(IMetricFactory metrics, WorkerContext context) : PeriodicWorker("certificates", context)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = context.Loggers.CreateLogger<TlsFilesPoller>();
    private readonly ConcurrentDictionary<(string, TlsOptions), TlsFiles> _watched = new();
    private readonly Counter _reloads = metrics.CreateCounter(
        "sendproxy_tls_reloads_total", "Looks at an upstream's certificates that gave something new: loaded, or refused and the old ones kept.", ["upstream", "outcome"]);

    /// <summary>Starts to watch, or yields what watches the same files already.</summary>
    public TlsFiles Watch(string upstream, TlsOptions options) => _watched.GetOrAdd((upstream, options), _ =>
    {
        var files = new TlsFiles(upstream, options);
        if (files.HasAny)
        {
            Look(files);
        }

        return files;
    });

    /// <summary>Stops to watch what the configuration no longer names. Connections of a replaced upstream keep what they have.</summary>
    public void Retain(IEnumerable<(string Upstream, TlsOptions Options)> named)
    {
        foreach (var gone in _watched.Keys.Except(named).ToArray())
        {
            _watched.TryRemove(gone, out _);
        }
    }

    protected override Task<TimeSpan?> RunRoundAsync(CancellationToken stop)
    {
        foreach (var files in _watched.Values.Where(f => f.HasAny))
        {
            Look(files);
        }

        return Task.FromResult<TimeSpan?>(Interval);
    }

    private void Look(TlsFiles files)
    {
        if (files.Look() is not { } problem)
        {
            return;
        }

        _reloads.WithLabels(files.Upstream, problem.Length == 0 ? "loaded" : "refused").Inc();
        if (problem.Length == 0)
        {
            Log.TlsLoaded(_logger, files.Upstream);
        }
        else
        {
            Log.TlsRefused(_logger, files.Upstream, problem);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(220, LogLevel.Information, "Certificates of upstreams.{Upstream}.tls loaded")]
        public static partial void TlsLoaded(ILogger logger, string upstream);

        [LoggerMessage(221, LogLevel.Error, "upstreams.{Upstream}.tls: {Problem}; what was in use stays")]
        public static partial void TlsRefused(ILogger logger, string upstream, string problem);
    }
}
