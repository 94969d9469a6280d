using System.Text;
using SendProxy.Secrets;

namespace SendProxy.Upstreams.Credentials;

/// <summary>A key chosen for a message; the same for all its attempts until a 401.</summary>
internal sealed record SelectedCredential(Secret Secret, SecretSlot Slot)
{
    public string Fingerprint => Secret.Fingerprint;
}

/// <summary>
/// The keys of one upstream. Chooses one for a message and writes it into the one header that carries it, and only for the hosts that it
/// is bound to. A key that was answered with 401 rests: meanwhile the other key is chosen first.
/// </summary>
internal sealed class Credential(CredentialOptions options, WatchedSecret watched, CredentialUsageTracker book, string upstream, TimeProvider time)
{
    public static readonly TimeSpan Rest = TimeSpan.FromSeconds(30);

    // Two keys at the most are known at a time; replaced whole.
    private (Secret Secret, long Until)[] _resting = [];

    public WatchedSecret Watched => watched;

    public string Upstream => upstream;

    /// <param name="draw">0 up to 1: below nextShare the next key is chosen.</param>
    /// <returns>Null when no usable key was ever seen.</returns>
    public SelectedCredential? Choose(double draw)
    {
        var set = watched.Set;
        if (set.Current is null)
        {
            return null;
        }

        var current = new SelectedCredential(set.Current, SecretSlot.Current);
        var first = set.Next is not null && draw < options.NextShare ? new SelectedCredential(set.Next, SecretSlot.Next) : current;
        return Rests(first.Secret) && Other(first) is { } other && !Rests(other.Secret) ? other : first;
    }

    /// <returns>The key with this fingerprint; null where it is not there any more.</returns>
    public SelectedCredential? Find(string fingerprint)
    {
        var set = watched.Set;
        (Secret? Secret, SecretSlot Slot)[] all = [(set.Current, SecretSlot.Current), (set.Next, SecretSlot.Next), (set.Previous, SecretSlot.Previous)];
        var found = Array.Find(all, c => c.Secret?.Fingerprint == fingerprint);
        return found.Secret is null ? null : new SelectedCredential(found.Secret, found.Slot);
    }

    /// <returns>Another key to try once after a 401; null when there is none.</returns>
    public SelectedCredential? Other(SelectedCredential used)
    {
        var set = watched.Set;
        (Secret? Secret, SecretSlot Slot)[] candidates =
            [(set.Current, SecretSlot.Current), (set.Next, SecretSlot.Next), (set.Previous, SecretSlot.Previous)];
        var other = Array.Find(candidates, c => c.Secret is not null && c.Secret.Fingerprint != used.Fingerprint);
        return other.Secret is null ? null : new SelectedCredential(other.Secret, other.Slot);
    }

    /// <summary>Writes the key into the request. The only place where it leaves <see cref="Secret"/>.</summary>
    /// <returns>False, and nothing written, when the request goes anywhere but to the hosts the key is bound to.</returns>
    public bool Inject(HttpRequestMessage request, SelectedCredential key)
    {
        if (request.RequestUri is not { } uri || !options.Hosts.Contains(HostBinding.Of(uri)))
        {
            return false;
        }

        request.Headers.Remove(options.Header);
        request.Headers.TryAddWithoutValidation(options.Header, key.Secret.Write(options.Format, Formatted));
        return true;
    }

    private static string Formatted(string format, string secret) => format
        .Replace(CredentialOptions.Base64Placeholder, Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)), StringComparison.Ordinal)
        .Replace(CredentialOptions.Placeholder, secret, StringComparison.Ordinal);

    /// <summary>The vendor answered 401 to this key.</summary>
    public void Rejected(SelectedCredential key)
    {
        var until = time.GetTimestamp() + (long)(Rest.TotalSeconds * time.TimestampFrequency);
        _resting = [.. _resting.Where(r => r.Until > time.GetTimestamp() && r.Secret != key.Secret), (key.Secret, until)];
        book.Rejected(upstream, key, Other(key));
    }

    /// <summary>The vendor answered something else: the key is known to it.</summary>
    public void Accepted(SelectedCredential key)
    {
        book.Accepted(upstream, key);
        if (_resting.Length > 0)
        {
            _resting = [.. _resting.Where(r => r.Secret != key.Secret)];
        }
    }

    /// <summary>An attempt under the key begins. The record's End tells that it is over.</summary>
    public CredentialUsage Begin(SelectedCredential key) => book.Begin(upstream, key);

    /// <summary>A message goes on with <paramref name="other"/> after its own key met a 401.</summary>
    public void TookOver(SelectedCredential refused, SelectedCredential other) => book.TookOver(upstream, refused, other);

    /// <returns>When the key's rest after a 401 ends; null while it does not rest.</returns>
    public DateTimeOffset? RestsUntil(Secret secret, DateTimeOffset now)
    {
        var rest = Array.Find(_resting, r => r.Secret == secret && r.Until > time.GetTimestamp());
        return rest.Secret is null ? null : now + time.GetElapsedTime(time.GetTimestamp(), rest.Until);
    }

    private bool Rests(Secret secret) =>
        _resting.Length > 0 && Array.Exists(_resting, r => r.Secret == secret && r.Until > time.GetTimestamp());
}
