using System.Security.Cryptography;
using System.Text;

namespace SendProxy.Receiving;

/// <summary>The URL that a vendor called: what it was told, and the query that came.</summary>
/// <param name="Base">Without a query, as the operator wrote it.</param>
/// <param name="Query">With its question mark; empty where there is none.</param>
/// <param name="IsForm">Whether the body is a form.</param>
internal readonly record struct SignedUrl(string Base, string Query, bool IsForm)
{
    public string Text => Base + Query;
}

/// <summary>
/// What Twilio signs: the URL, then name and value of each parameter of the form, sorted by name; or the URL with the
/// body's SHA-256 in its query. https://www.twilio.com/docs/usage/webhooks/webhooks-security
/// </summary>
internal static class UrlAndParams
{
    private const string HashName = "bodySHA256=";

    /// <returns>
    /// The contents that may have been signed: the URL with and without its scheme's port. None where no form of signature
    /// would cover the body.
    /// </returns>
    public static IReadOnlyList<ReadOnlyMemory<byte>[]> Contents(SignedUrl url, ReadOnlyMemory<byte> body)
    {
        var parameters = "";
        if (HashIn(url.Query) is { } hash)
        {
            var actual = Convert.ToHexStringLower(SHA256.HashData(body.Span));
            if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(hash), Encoding.UTF8.GetBytes(actual)))
            {
                return [];
            }
        }
        else if (url.IsForm)
        {
            parameters = Join(Encoding.UTF8.GetString(body.Span));
        }
        else if (body.Length > 0)
        {
            return [];
        }

        return [.. Ports(url.Base).Select(u => new ReadOnlyMemory<byte>[] { Encoding.UTF8.GetBytes(u + url.Query + parameters) })];
    }

    /// <returns>Names and values in the order and the one form that is signed: values of a name distinct and sorted.</returns>
    public static string Join(string form)
    {
        var pairs = form.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(p => p.Split('=', 2))
            .Select(p => (Name: Unescape(p[0]), Value: p.Length > 1 ? Unescape(p[1]) : ""));
        return string.Concat(pairs.Distinct()
            .OrderBy(p => p.Name, StringComparer.Ordinal).ThenBy(p => p.Value, StringComparer.Ordinal)
            .SelectMany(p => new[] { p.Name, p.Value }));
    }

    private static string Unescape(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

    private static string? HashIn(string query)
    {
        var pair = Array.Find(query.TrimStart('?').Split('&'), p => p.StartsWith(HashName, StringComparison.Ordinal));
        return pair?[HashName.Length..];
    }

    // Only the port changes: everything else stays as written, since it is signed as it was called.
    private static IEnumerable<string> Ports(string url)
    {
        yield return url;
        var port = url.StartsWith("https", StringComparison.OrdinalIgnoreCase) ? ":443" : ":80";
        var start = url.IndexOf("://", StringComparison.Ordinal) + 3;
        var end = url.IndexOf('/', start) is >= 0 and var slash ? slash : url.Length;
        var host = url[start..end];
        var bare = host[(host.LastIndexOf('@') + 1)..];
        if (host.EndsWith(port, StringComparison.Ordinal))
        {
            yield return url[..(end - port.Length)] + url[end..];
        }
        else if (bare.LastIndexOf(':') <= bare.LastIndexOf(']'))
        {
            yield return url[..end] + port + url[end..];
        }
    }
}
