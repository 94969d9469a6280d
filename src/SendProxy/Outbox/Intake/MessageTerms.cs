using System.Globalization;
using SendProxy.Configuration;
using SendProxy.Errors;
using SendProxy.Outbox.Messages;

namespace SendProxy.Outbox.Intake;

/// <summary>When a message may be sent, and what its application calls it.</summary>
/// <param name="NotBefore">Null: at once.</param>
/// <param name="Expires">Null: as route and section say.</param>
internal readonly record struct MessageTerms(DateTimeOffset? NotBefore, DateTimeOffset? Expires, string Reference)
{
    public const string NotBeforeHeader = "SendProxy-Not-Before";
    public const string ExpiresHeader = "SendProxy-Expires";
    public const string ReferenceHeader = "SendProxy-Reference";
    private const int MaxReference = 200;

    // RFC 3339 with a zone, and HTTP's own form (RFC 9110, 5.6.7). Without a zone a time could mean any of two dozen.
    private static readonly string[] Forms = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "R"];

    /// <returns>What the headers say, or a refusal that names the header and the form.</returns>
    public static (MessageTerms Terms, Refusal? Refusal) Of(IHeaderDictionary headers, DateTimeOffset now)
    {
        var (notBefore, badStart) = Time(headers, NotBeforeHeader, now);
        var (expires, badEnd) = Time(headers, ExpiresHeader, now);
        var reference = headers[ReferenceHeader].ToString();
        var refusal = badStart ?? badEnd
            ?? (reference.Length > MaxReference || reference.Any(char.IsControl) ? Bad($"{ReferenceHeader} takes up to {MaxReference} characters.") : null)
            ?? (expires <= now ? Bad($"{ExpiresHeader} is over already: the message would never be sent.") : null)
            ?? (expires <= notBefore ? Bad($"{ExpiresHeader} is not after {NotBeforeHeader}: the message would never be sent.") : null);
        return (new MessageTerms(notBefore > now ? notBefore : null, expires, reference), refusal);
    }

    private static (DateTimeOffset? Time, Refusal? Refusal) Time(IHeaderDictionary headers, string name, DateTimeOffset now)
    {
        var text = headers[name].ToString();
        if (text.Length == 0)
        {
            return (null, null);
        }

        var hasZone = text[^1] is 'Z' or 'T' || (text.Length > 6 && text[^6] is '+' or '-');
        DateTimeOffset? read = Units.TryDuration(text, out var wait) && wait <= OutboxOptions.LongestExpires ? now + wait
            : hasZone && DateTimeOffset.TryParseExact(text, Forms, CultureInfo.InvariantCulture, DateTimeStyles.None, out var at) ? at
            : null;
        return read is null || read > now + OutboxOptions.LongestExpires
            ? (null, Bad($"{name} must be a time like 2026-11-30T08:00:00Z, or a time from now like 15m, at most 90d ahead."))
            : (read, null);
    }

    private static Refusal Bad(string detail) => Refusal.NotSent(ProxyError.MessageTermsInvalid, detail);
}
