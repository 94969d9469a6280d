using SendProxy.Secrets;

namespace SendProxy.Receiving;

/// <summary>Which headers of a webhook are kept for its subscribers.</summary>
internal static class OriginalHeaders
{
    private const int MaxHeaders = 100;

    // Those of one connection (RFC 9110, 7.6.1), those that say something of the body's framing, and credentials.
    private static readonly HashSet<string> Dropped = new(
        ["Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Expect", "Content-Length",
            "Content-Type", "Content-Encoding", "Host", "Authorization", "Proxy-Authorization", "Cookie"], StringComparer.OrdinalIgnoreCase);

    public static IReadOnlyList<(string Name, string Value)> Of(HttpRequest request, SourceOptions source)
    {
        var secret = source.Recipe is { Key.Scheme: SignatureScheme.SharedSecret } recipe ? recipe.SignatureHeaders : [];
        return [.. request.Headers
            .Where(h => !Dropped.Contains(h.Key) && !h.Key.StartsWith("SendProxy-", StringComparison.OrdinalIgnoreCase)
                && !secret.Contains(h.Key, StringComparer.OrdinalIgnoreCase))
            .SelectMany(h => h.Value, (h, value) => (h.Key, value ?? ""))
            .Take(MaxHeaders)];
    }
}
