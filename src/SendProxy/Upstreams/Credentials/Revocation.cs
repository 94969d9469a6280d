using SendProxy.Secrets;

namespace SendProxy.Upstreams.Credentials;

/// <summary>What is known of one key, for an operator; nothing in it tells the key.</summary>
/// <param name="Slot">current, next, previous; gone where it is no longer mounted; none where there is no key at all.</param>
/// <param name="Place">Where the upstream's keys come from.</param>
/// <param name="State">Of the last look at the source for current (<c>ok</c>, <c>missing</c> ...); <c>resting</c> after a 401.</param>
/// <param name="Fingerprint">Empty where there is no key.</param>
internal sealed record CredentialReport(
    string Upstream,
    string Slot,
    string Fingerprint,
    string Place,
    string State,
    DateTimeOffset? Loaded,
    DateTimeOffset? LastAccepted,
    long Answers,
    long Rejected,
    long Running,
    DateTimeOffset? RestsUntil,
    bool SafeToRevoke,
    string Why)
{
    public static CredentialReport Absent(string upstream, string place, string state) =>
        new(upstream, "none", "", place, state, null, null, 0, 0, 0, null, false, "there is no usable key");
}

/// <summary>
/// Whether a key may be revoked at the vendor, as far as this process knows, and the fleet where there is its Redis. Yes only for one that is not in use, while the one
/// in use is known to be accepted.
/// </summary>
internal static class Revocation
{
    /// <summary>A key must have been idle for this long: longer than most requests with all their attempts take.</summary>
    public static readonly TimeSpan QuietFor = TimeSpan.FromMinutes(10);

    /// <summary>Of a mounted key.</summary>
    public static CredentialReport Judge(Credential credential, Secret secret, SecretSlot slot, CredentialUsage? record, bool currentWorks, DateTimeOffset now)
    {
        var rests = credential.RestsUntil(secret, now);
        var (safe, why) = Judge(slot, record, currentWorks, now);
        var state = rests is not null ? "resting" : slot == SecretSlot.Current ? SecretMetrics.Word(credential.Watched.State) : "ok";
        return new CredentialReport(
            credential.Upstream, CredentialMetrics.Word(slot), secret.Fingerprint, credential.Watched.Place, state, secret.Loaded, record?.AcceptedAnywhere,
            record?.Answers ?? 0, record?.Rejections ?? 0, record?.Running ?? 0, rests, safe, why);
    }

    /// <summary>Of a key that was used and is no longer mounted.</summary>
    public static CredentialReport Judge(Credential credential, string fingerprint, CredentialUsage record, bool currentWorks, DateTimeOffset now)
    {
        var (safe, why) = Judge(null, record, currentWorks, now);
        return new CredentialReport(
            credential.Upstream, "gone", fingerprint, credential.Watched.Place, "not mounted", null, record.AcceptedAnywhere,
            record.Answers, record.Rejections, record.Running, null, safe, why);
    }

    /// <param name="slot">Null: no longer mounted.</param>
    public static (bool Safe, string Why) Judge(SecretSlot? slot, CredentialUsage? record, bool currentWorks, DateTimeOffset now) => slot switch
    {
        SecretSlot.Current => (false, "it is the key in use"),
        SecretSlot.Next => (false, "it is the key to come"),
        _ when record?.Running > 0 => (false, $"attempts under it are running: {record.Running}"),
        _ when record?.AcceptedAnywhere is { } last && now - last < QuietFor =>
            (false, $"accepted less than {QuietFor.TotalMinutes:0} min ago; ask again after {(last + QuietFor).UtcDateTime:HH:mm:ss} UTC"),
        _ when !currentWorks => (false, "the current key has not been accepted yet"),
        _ when record?.AcceptedAnywhere is null => (true, "it was never used with success, as far as is known here"),
        _ => (true, $"not used for {QuietFor.TotalMinutes:0} min, and the current key is accepted"),
    };
}
