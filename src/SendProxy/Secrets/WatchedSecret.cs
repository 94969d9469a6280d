using SendProxy.Configuration;

namespace SendProxy.Secrets;

/// <summary>
/// A secret that may change while running. When a new value is taken is <see cref="ContentSettling"/>'s, so that a half-written
/// file is not used; a bad one never replaces a good one. Polled by <see cref="SecretPoller"/>; reading it takes no lock.
/// </summary>
internal sealed class WatchedSecret
{
    private readonly ISecretSource _source;
    private readonly SecretFormat _format;
    private readonly SecretMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ContentSettling _content = new(null);
    private SecretSet _current = SecretSet.Empty;

    public WatchedSecret(string name, ISecretSource source, SecretFormat format, SecretMetrics metrics, TimeProvider time)
    {
        Name = name;
        _source = source;
        _format = format;
        _metrics = metrics;
        _time = time;
        Poll(first: true);
    }

    /// <summary>The setting that names it: <c>upstreams.sendapi.credential</c>.</summary>
    public string Name { get; }

    /// <summary>Where it comes from, for people.</summary>
    public string Place => _source.Place;

    /// <summary>The state of the last look, which may be worse than what is in use.</summary>
    public SecretState State { get; private set; } = SecretState.Missing;

    /// <summary>How the current value differs from the pattern that is only advice; null where it does not. Never the value.</summary>
    public string? Difference { get; private set; }

    /// <summary>What is in use; its Current is null until a usable value was seen.</summary>
    public SecretSet Set => Volatile.Read(ref _current);

    /// <returns>What changed, for the log; null when nothing did.</returns>
    public SecretChange? Poll() => Poll(first: false);

    private SecretChange? Poll(bool first)
    {
        var readings = _source.Read();
        var judged = readings.Select(r => r.Text is null ? r : r with { State = _format.Judge(r.Text) }).ToArray();
        var hash = Hash(judged);
        var look = _content.Look(hash);
        if (look == ContentLook.Unsettled && !first)
        {
            return null;
        }

        _content.Take(hash);
        var state = judged[0].State;
        var changedState = state != State || first;
        State = state;
        Difference = state == SecretState.Ok ? _format.Difference(judged[0].Text!) : null;
        _metrics.Looked(Name, state == SecretState.Ok);
        if (state != SecretState.Ok)
        {
            return changedState ? Changed(state, null) : null;
        }

        var next = SecretSet.From(judged, Set, _time.GetUtcNow());
        if (next.SameAs(Set))
        {
            return changedState ? Changed(state, next.Current) : null;
        }

        Volatile.Write(ref _current, next);
        return Changed(state, next.Current);
    }

    // Of the content, so that no text of a secret is kept beside its Secret.
    private static string Hash(SecretReading[] readings) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(
        System.Text.Encoding.UTF8.GetBytes(string.Join('\n', readings.Select(r => $"{r.Slot}\t{r.State}\t{r.Text}")))));

    private SecretChange Changed(SecretState state, Secret? secret)
    {
        _metrics.Reloaded(Name, state);
        return new SecretChange(Name, Place, state, secret?.Fingerprint, KeptOld: state != SecretState.Ok && Set.Current is not null);
    }
}

/// <summary>A change worth a log line.</summary>
/// <param name="Fingerprint">Of the value now current; null where the look failed.</param>
internal sealed record SecretChange(string Name, string Place, SecretState State, string? Fingerprint, bool KeptOld);

/// <summary>The values of one source at one time; immutable.</summary>
internal sealed record SecretSet(Secret? Current, Secret? Next, Secret? Previous)
{
    public static readonly SecretSet Empty = new(null, null, null);

    /// <summary>Keeps the objects of values that did not change, so that what is known of them stays with them.</summary>
    public static SecretSet From(IReadOnlyList<SecretReading> readings, SecretSet old, DateTimeOffset now)
    {
        var known = new[] { old.Current, old.Next, old.Previous };
        Secret? Of(SecretSlot slot)
        {
            var text = readings.FirstOrDefault(r => r.Slot == slot && r.State == SecretState.Ok).Text;
            return text is null ? null : Array.Find(known, k => k?.FixedTimeEquals(text) == true) ?? new Secret(text, now);
        }

        return new SecretSet(Of(SecretSlot.Current), Of(SecretSlot.Next), Of(SecretSlot.Previous));
    }

    /// <summary>Those that are there.</summary>
    public IEnumerable<(Secret Secret, SecretSlot Slot)> All
    {
        get
        {
            (Secret? Secret, SecretSlot Slot)[] all = [(Current, SecretSlot.Current), (Next, SecretSlot.Next), (Previous, SecretSlot.Previous)];
            return all.Where(s => s.Secret is not null).Select(s => (s.Secret!, s.Slot));
        }
    }

    public bool SameAs(SecretSet other) =>
        ReferenceEquals(Current, other.Current) && ReferenceEquals(Next, other.Next) && ReferenceEquals(Previous, other.Previous);
}
