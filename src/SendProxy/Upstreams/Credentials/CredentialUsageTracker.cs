using System.Collections.Concurrent;
using SendProxy.Secrets;

namespace SendProxy.Upstreams.Credentials;

/// <summary>
/// What this process knows of keys by fingerprint, also of those that are no longer mounted: an operator who revokes a key
/// wants to know of just these. Raises the alarm when the vendor refuses one.
/// </summary>
internal sealed partial class CredentialUsageTracker(CredentialMetrics metrics, TimeProvider time, ILogger<CredentialUsageTracker> logger)
{
    /// <summary>The alarm of one key comes no more often than this, since every message with a revoked key is answered with 401.</summary>
    public static readonly TimeSpan AlarmEvery = TimeSpan.FromMinutes(1);

    // Enough for a new key every minute for an hour; a process that rotates faster forgets the oldest.
    private const int KeysMax = 64;

    private readonly ConcurrentDictionary<(string Upstream, string Fingerprint), CredentialUsage> _records = new();
    private IReadOnlyList<Credential> _live = [];

    /// <summary>The credentials in force: what <see cref="Report"/> tells of.</summary>
    public void Show(IReadOnlyList<Credential> credentials) => Volatile.Write(ref _live, credentials);

    /// <summary>An attempt under the key begins; ends with the returned record's <see cref="CredentialUsage.End"/>.</summary>
    public CredentialUsage Begin(string upstream, SelectedCredential key)
    {
        var record = Of(upstream, key.Fingerprint);
        record.Begin();
        return record;
    }

    public void Accepted(string upstream, SelectedCredential key)
    {
        Of(upstream, key.Fingerprint).Accept(time.GetUtcNow());
        metrics.Used(upstream, key, accepted: true);
    }

    /// <param name="other">What goes first while the key rests; null where there is no other.</param>
    public void Rejected(string upstream, SelectedCredential key, SelectedCredential? other)
    {
        metrics.Used(upstream, key, accepted: false);
        if (Of(upstream, key.Fingerprint).Reject(time, AlarmEvery))
        {
            Log.Rejected(logger, upstream, key.Fingerprint, CredentialMetrics.Word(key.Slot), other is null
                ? "there is no other key: its requests fail"
                : $"the key {other.Fingerprint} ({CredentialMetrics.Word(other.Slot)}) goes first for {Credential.Rest.TotalSeconds:0} s");
        }
    }

    /// <summary>A message goes on with another key after its own met a 401.</summary>
    public void TookOver(string upstream, SelectedCredential refused, SelectedCredential other)
    {
        if (Of(upstream, refused.Fingerprint).TellTakeOver(time, AlarmEvery))
        {
            Log.TookOver(logger, upstream, other.Fingerprint, CredentialMetrics.Word(other.Slot), refused.Fingerprint);
        }
    }

    /// <summary>True once the fleet's Redis told when its other processes used keys.</summary>
    public bool KnowsFleet { get; private set; }

    /// <returns>When this process last used each key with success: what it tells the fleet.</returns>
    public IReadOnlyList<(string Upstream, string Fingerprint, DateTimeOffset At)> LastUses() =>
        [.. _records.Where(r => r.Value.LastAccepted is not null).Select(r => (r.Key.Upstream, r.Key.Fingerprint, r.Value.LastAccepted!.Value))];

    /// <summary>Takes over what the fleet knows of keys of the upstreams in force.</summary>
    public void LearnFleet(IReadOnlyList<(string Upstream, string Fingerprint, DateTimeOffset At)> uses)
    {
        var upstreams = Volatile.Read(ref _live).Select(c => c.Upstream).ToHashSet(StringComparer.Ordinal);
        foreach (var (upstream, fingerprint, at) in uses.Where(u => upstreams.Contains(u.Upstream)))
        {
            Of(upstream, fingerprint).LearnFleet(at);
        }

        KnowsFleet = true;
    }

    /// <returns>Every mounted key, then those that were used and are gone; upstreams in the order of the configuration.</returns>
    public IReadOnlyList<CredentialReport> Report()
    {
        var now = time.GetUtcNow();
        var all = new List<CredentialReport>();
        foreach (var credential in Volatile.Read(ref _live))
        {
            var set = credential.Watched.Set;
            var mounted = new List<string>();
            foreach (var (secret, slot) in set.All)
            {
                mounted.Add(secret.Fingerprint);
                all.Add(Revocation.Judge(credential, secret, slot, Known(credential, secret.Fingerprint), Accepts(credential), now));
            }

            var gone = _records.Where(r => r.Key.Upstream == credential.Upstream && !mounted.Contains(r.Key.Fingerprint)).OrderBy(r => r.Value.LastAccepted);
            all.AddRange(gone.Select(r => Revocation.Judge(credential, r.Key.Fingerprint, r.Value, Accepts(credential), now)));
            if (set.Current is null)
            {
                all.Add(CredentialReport.Absent(credential.Upstream, credential.Watched.Place, SecretMetrics.Word(credential.Watched.State)));
            }
        }

        return all;
    }

    private CredentialUsage? Known(Credential credential, string fingerprint) => _records.GetValueOrDefault((credential.Upstream, fingerprint));

    // Whether the key in use is known to work: without that no other one may go.
    private bool Accepts(Credential credential) =>
        credential.Watched.Set.Current is { } current && Known(credential, current.Fingerprint) is { AcceptedAnywhere: not null } record
        && !(record.LastRejected > record.AcceptedAnywhere);

    private CredentialUsage Of(string upstream, string fingerprint)
    {
        if (_records.TryGetValue((upstream, fingerprint), out var known))
        {
            return known;
        }

        if (_records.Count >= KeysMax)
        {
            var oldest = _records.Where(r => r.Value.Running == 0).OrderBy(r => r.Value.LastAccepted ?? DateTimeOffset.MinValue).Select(r => r.Key).FirstOrDefault();
            _records.TryRemove(oldest, out _);
        }

        return _records.GetOrAdd((upstream, fingerprint), _ => new CredentialUsage());
    }

    private static partial class Log
    {
        [LoggerMessage(210, LogLevel.Error, "The upstream {Upstream} answered 401 to the key {Fingerprint} ({Slot}): it is unknown or revoked there; {Consequence}")]
        public static partial void Rejected(ILogger logger, string upstream, string fingerprint, string slot, string consequence);

        [LoggerMessage(211, LogLevel.Warning, "The key {Fingerprint} ({Slot}) of upstream {Upstream} took over from {Refused}, which met a 401")]
        public static partial void TookOver(ILogger logger, string upstream, string fingerprint, string slot, string refused);
    }
}
