using System.Collections.Concurrent;
using Prometheus;

namespace SendProxy.Upstreams;

/// <summary>Looks at the certificates of all upstreams once a second and tells what changed.</summary>
internal sealed partial class TlsFilesPoller(IMetricFactory metrics, TimeProvider time, ILogger<TlsFilesPoller> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<(string, TlsOptions), TlsFiles> _watched = new();
    private readonly Counter _reloads = metrics.CreateCounter(
        "sendproxy_tls_reloads_total", "Looks at an upstream's certificates that gave something new: loaded, or refused and the old ones kept.", ["upstream", "outcome"]);

    /// <summary>Starts to watch, or yields what watches the same files already.</summary>
    public TlsFiles Watch(string upstream, TlsOptions options) => _watched.GetOrAdd((upstream, options), _ =>
    {
        var files = new TlsFiles(upstream, options);
        Look(files);
        return files;
    });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var files in _watched.Values)
            {
                Look(files);
            }
        }
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
            Log.TlsLoaded(logger, files.Upstream);
        }
        else
        {
            Log.TlsRefused(logger, files.Upstream, problem);
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
