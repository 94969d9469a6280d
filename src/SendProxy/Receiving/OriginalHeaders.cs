using SendProxy.Secrets;

namespace SendProxy.Receiving;

/// <summary>Which headers of a webhook are kept for its subscribers.</summary>
internal static class OriginalHeaders
{
    // Kept with each event of a batch: what one request may weigh is bounded by it.
    private const int MaxCharacters = 8 * 1024;

    // Those of one connection (RFC 9110, 7.6.1), those that say something of the body's framing, and credentials.
    private static readonly HashSet<string> Dropped = new(
        ["Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Expect", "Content-Length",
            "Content-Type", "Content-Encoding", "Host", "Authorization", "Proxy-Authorization", "Cookie"], StringComparer.OrdinalIgnoreCase);

    public static IReadOnlyList<(string Name, string Value)> Of(HttpRequest request, SourceOptions source)
    {
        var secret = source.Recipe is { Key.Scheme: SignatureScheme.SharedSecret } recipe ? recipe.SignatureHeaders : [];
        var kept = new List<(string Name, string Value)>();
        var length = 0;
        foreach (var (name, values) in request.Headers)
        {
            if (Dropped.Contains(name) || name.StartsWith("SendProxy-", StringComparison.OrdinalIgnoreCase)
                || secret.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                continue;
            }

            foreach (var value in values)
            {
                length += name.Length + (value?.Length ?? 0);
                if (length > MaxCharacters)
                {
                    return kept;
                }

                kept.Add((name, value ?? ""));
            }
        }

        return kept;
    }
}
