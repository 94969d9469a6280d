using System.Globalization;
using Microsoft.Extensions.Primitives;
using SendProxy.Secrets;

namespace SendProxy.Receiving;

/// <summary>What the head says that the body will be checked with.</summary>
/// <param name="Id">The signed id; null where the recipe has none.</param>
/// <param name="Timestamp">As written; null where the recipe has none.</param>
internal sealed record SignedHead(string? Id, string? Timestamp, IReadOnlyList<byte[]> Signatures)
{
    public static readonly SignedHead Unsigned = new(null, null, []);
}

/// <summary>
/// Checks a webhook against a recipe: 1 the head, before a byte of the body is read; 2 the signature over the raw bytes.
/// </summary>
internal static class Verifier
{
    private const int MaxIdLength = 256;
    private const int MaxTimestampLength = 15;

    /// <summary>1: the signature header's form, the id, the time.</summary>
    /// <returns>The head, or why it is not accepted.</returns>
    public static (SignedHead? Head, Rejection Rejection) CheckHead(
        SignatureRecipe recipe, IHeaderDictionary headers, TimeSpan tolerance, DateTimeOffset now)
    {
        var written = First(headers, recipe.SignatureHeaders);
        if (written.Count == 0)
        {
            return (null, Rejection.SignatureMissing);
        }

        // Only a list may stand in several headers: of two single signatures nobody knows which one counts.
        if ((written.Count > 1 && recipe.Format != SignatureFormat.SpaceList)
            || SignatureHeader.Parse(string.Join(' ', (IEnumerable<string?>)written), recipe) is not { } parsed)
        {
            return (null, Rejection.SignatureMalformed);
        }

        if (recipe.IdHeaders.Count > 0 && CheckId(recipe, First(headers, recipe.IdHeaders)) is { } badId)
        {
            return (null, badId);
        }

        var timestamp = recipe.TimestampField is null ? First(headers, recipe.TimestampHeaders) : new StringValues(parsed.Timestamp);
        if (recipe.HasTimestamp && CheckTime(recipe, timestamp, tolerance, now) is { } badTime)
        {
            return (null, badTime);
        }

        return (new SignedHead(
            recipe.IdHeaders.Count > 0 ? First(headers, recipe.IdHeaders).ToString() : null,
            recipe.HasTimestamp ? timestamp.ToString() : null,
            parsed.Signatures), default);
    }

    /// <summary>2: the signature.</summary>
    /// <param name="url">The public URL with the request's own query; empty where none is signed.</param>
    /// <returns>The fingerprint of the secret that matched, or null.</returns>
    public static string? Matching(
        SignatureRecipe recipe, IReadOnlyList<SigningKey> keys, SignedHead head, ReadOnlyMemory<byte> body, SignedUrl url)
    {
        var candidates = recipe.Form == SignedContentKind.UrlAndParams
            ? UrlAndParams.Contents(url, body)
            : [recipe.Content.Fill(head, url.Text, body)];
        foreach (var key in keys)
        {
            foreach (var content in candidates)
            {
                if (key.Verifies(head.Signatures, content))
                {
                    return key.Fingerprint;
                }
            }
        }

        return null;
    }

    private static Rejection? CheckId(SignatureRecipe recipe, StringValues values)
    {
        if (values.Count == 0 || values[0]!.Length == 0)
        {
            return Rejection.IdMissing;
        }

        var id = values.ToString();
        return values.Count > 1 || id.Length > MaxIdLength || id.Any(c => c is < '!' or > '~')
            || (recipe.Content.AfterId is var next and not '\0' && id.Contains(next, StringComparison.Ordinal))
            ? Rejection.IdMalformed
            : null;
    }

    // Both ends belong to the tolerance, in the unit that was signed, as in the reference libraries.
    private static Rejection? CheckTime(SignatureRecipe recipe, StringValues values, TimeSpan tolerance, DateTimeOffset now)
    {
        if (values.Count == 0 || string.IsNullOrEmpty(values[0]))
        {
            return Rejection.TimestampMissing;
        }

        var text = values.ToString();
        if (values.Count > 1 || text.Length > MaxTimestampLength || !text.All(char.IsAsciiDigit))
        {
            return Rejection.TimestampMalformed;
        }

        var signed = long.Parse(text, CultureInfo.InvariantCulture);
        var (age, most) = recipe.TimestampInMilliseconds
            ? (now.ToUnixTimeMilliseconds() - signed, (long)tolerance.TotalMilliseconds)
            : (now.ToUnixTimeSeconds() - signed, (long)tolerance.TotalSeconds);
        return age > most ? Rejection.TimestampTooOld : age < -most ? Rejection.TimestampTooNew : null;
    }

    private static StringValues First(IHeaderDictionary headers, IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            if (headers.TryGetValue(name, out var values) && values.Count > 0)
            {
                return values;
            }
        }

        return StringValues.Empty;
    }
}
