using System.Collections.Concurrent;
using Prometheus;
using SendProxy.Workers;

namespace SendProxy.Secrets;

/// <summary>
/// Looks at every secret once a second and tells what changed. Content, not file events: Kubernetes swaps links that file
/// watchers miss (dotnet/runtime#36091).
/// </summary>
internal sealed partial class SecretPoller(SecretMetrics metrics, IMetricFactory factory, WorkerContext context)
    : PeriodicWorker("secrets", context)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = context.Loggers.CreateLogger<SecretPoller>();
    private readonly ConcurrentDictionary<string, WatchedSecret> _watched = new(StringComparer.Ordinal);
    private readonly Counter _rounds = factory.CreateCounter("sendproxy_secret_polls_total", "Rounds over all secrets' sources.");

    public IEnumerable<WatchedSecret> All => _watched.Values;

    /// <summary>
    /// Starts to watch, or yields what already watches the same source under the same name: what is in use survives a reload
    /// of the configuration.
    /// </summary>
    public WatchedSecret Watch(string name, ISecretSource source, SecretFormat form)
    {
        return _watched.GetOrAdd(Key(name, source, form), _ =>
        {
            var watched = new WatchedSecret(name, source, form, metrics, Time);
            if (watched.State != SecretState.Ok)
            {
                Log.Unusable(_logger, name, source.Place, SecretMetrics.Told(watched.State), Advice(watched.State), "no value is in use");
            }

            Warn(watched);
            foreach (var path in MountInfo.MountPoints(source switch { SecretFile f => [f.Path], SecretDirectory d => d.Files, _ => [] }))
            {
                Log.NeverUpdated(_logger, name, path);
            }

            foreach (var exposure in source.Exposures())
            {
                Log.Exposed(_logger, name, exposure);
            }

            return watched;
        });
    }

    /// <summary>
    /// Stops to watch what the configuration no longer names. Requests that still run with such a secret keep its last value.
    /// </summary>
    /// <param name="named">Every secret of the configuration in force, as it is given to <see cref="Watch"/>.</param>
    public void Retain(IEnumerable<(string Name, ISecretSource Source, SecretFormat Format)> named)
    {
        var keys = named.Select(s => Key(s.Name, s.Source, s.Format)).ToHashSet(StringComparer.Ordinal);
        var gone = _watched.Keys.Where(k => !keys.Contains(k)).Select(k => _watched.TryRemove(k, out var watched) ? watched.Name : null).OfType<string>().ToArray();
        foreach (var name in gone.Except(_watched.Values.Select(w => w.Name)))
        {
            metrics.Ended(name);
        }
    }

    private static string Key(string name, ISecretSource source, SecretFormat format) =>
        $"{name}\n{source.Place}\n{format.Live}\n{format.AllowTest}\n{format.IsAdvice}";

    /// <summary>One round.</summary>
    public void PollAll()
    {
        foreach (var watched in _watched.Values)
        {
            if (watched.Poll() is not { } change)
            {
                continue;
            }

            if (change.State == SecretState.Ok)
            {
                Log.Loaded(_logger, change.Name, change.Place, change.Fingerprint ?? "");
                Warn(watched);
            }
            else
            {
                Log.Unusable(_logger, change.Name, change.Place, SecretMetrics.Told(change.State), Advice(change.State),
                    change.KeptOld ? "the old value stays in use" : "no value is in use");
            }
        }

        _rounds.Inc();
    }

    protected override Task<TimeSpan?> RunRoundAsync(CancellationToken stop)
    {
        PollAll();
        return Task.FromResult<TimeSpan?>(Interval);
    }

    /// <returns>What to do about it; empty where nothing is wrong.</returns>
    public static string Advice(SecretState state) => state switch
    {
        SecretState.Missing => "create it",
        SecretState.Unreadable => "let this user read it",
        SecretState.Directory => "name the file in it that holds the secret; a credential may have directory: in place of file:, for the files current, next and previous",
        SecretState.NotDirectory => "name it by file:, or the directory that has the files current, next and previous",
        SecretState.Empty => "write the secret into it",
        SecretState.Malformed => "it must be one line without control characters, in the pattern of the setting",
        SecretState.SeveralLines => "it must be one line; remove what stands before or behind the secret",
        SecretState.Utf16 => "it is text in UTF-16; save it as UTF-8",
        SecretState.Quoted => "remove the quotes around the secret",
        SecretState.WithScheme => "remove the scheme (Bearer, Basic) before the secret; the proxy writes it",
        SecretState.WithSpace => "remove the space before or in the secret",
        SecretState.TooLarge => "it must hold the secret and nothing else",
        SecretState.TestKey => "it holds a test key; set allowTestKey: true or mount the live key",
        _ => "",
    };

    private void Warn(WatchedSecret watched)
    {
        if (watched.Difference is { } difference)
        {
            Log.Unusual(_logger, watched.Name, watched.Place, difference);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(206, LogLevel.Warning, "Secret {Secret} from {Place} looks unlike the keys that the preset knows: {Difference}; it is used all the same")]
        public static partial void Unusual(ILogger logger, string secret, string place, string difference);

        [LoggerMessage(200, LogLevel.Information, "Secret {Secret} loaded from {Place}, fingerprint {Fingerprint}")]
        public static partial void Loaded(ILogger logger, string secret, string place, string fingerprint);

        [LoggerMessage(202, LogLevel.Warning,
            "Secret {Secret}: {Path} is a mount point itself (subPath, or a bind of one file): a rotation is never seen; mount the directory instead")]
        public static partial void NeverUpdated(ILogger logger, string secret, string path);

        [LoggerMessage(203, LogLevel.Warning, "Secret {Secret}: {Exposure}")]
        public static partial void Exposed(ILogger logger, string secret, string exposure);

        [LoggerMessage(201, LogLevel.Error, "Secret {Secret} from {Place} is {State}: {Advice}; {InUse}")]
        public static partial void Unusable(ILogger logger, string secret, string place, string state, string advice, string inUse);
    }
}
