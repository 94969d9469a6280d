namespace SendProxy.Egress.Admission;

/// <summary>
/// Recognises requests that a browser sends for a web page, by headers that a browser adds itself, that a script of a page
/// can neither set nor leave out, and that no HTTP library sends. docs/CLIENTS.md holds what each client sends.
/// </summary>
internal static class BrowserDetector
{
    // Node's fetch (undici), alone among libraries, sends this one. Browsers never send it alone: for a trustworthy address
    // (localhost and 127.0.0.1 are) Sec-Fetch-Site stands beside it, for another one Origin and Access-Control-Request-Method.
    private const string SentByNode = "Sec-Fetch-Mode";

    /// <returns>The name of a header that only a browser sends; null where there is none.</returns>
    public static string? Find(HttpRequest request)
    {
        foreach (var (name, values) in request.Headers)
        {
            if (IsSentByBrowsers(name) || (Is(name, "Referer") && !IsOfThisHost(values.ToString(), request.Host)))
            {
                return name;
            }
        }

        return null;
    }

    private static bool IsSentByBrowsers(string name) =>
        Is(name, "Origin")
        || Is(name, "Upgrade-Insecure-Requests")
        || name.StartsWith("Access-Control-Request-", StringComparison.OrdinalIgnoreCase)
        || (name.StartsWith("Sec-", StringComparison.OrdinalIgnoreCase) && !Is(name, SentByNode));

    // Go's client names the address it was redirected from. A page under this host's name would have been stopped by its Host.
    private static bool IsOfThisHost(string referer, HostString host) =>
        Uri.TryCreate(referer, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp
        && uri.Authority.Equals(host.Value, StringComparison.OrdinalIgnoreCase);

    private static bool Is(string text, string word) => text.Equals(word, StringComparison.OrdinalIgnoreCase);
}
