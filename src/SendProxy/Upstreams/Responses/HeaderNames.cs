namespace SendProxy.Upstreams.Responses;

/// <summary>Which headers of a caller go on to a vendor, and which of an answer come back.</summary>
internal static class HeaderNames
{
    // RFC 9110, 7.6.1, and what is the proxy's own or the caller's identity. Cookie and Authorization: the key is ours to add.
    private static readonly HashSet<string> Dropped = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer",
        "Transfer-Encoding", "Upgrade", "HTTP2-Settings", "Host", "Content-Length", "Expect", "Authorization", "Cookie", "Prefer", "Priority",
        "Forwarded", "Via", "Idempotency-Key", "Accept-Encoding", "Origin", "Referer",
        "Upgrade-Insecure-Requests",
    };

    private static readonly HashSet<string> DroppedFromAnswer = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
        "Content-Length", "Set-Cookie", "Alt-Svc", "Strict-Transport-Security",
    };

    private static readonly HashSet<string> NotInTrailer = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host", "Authorization", "WWW-Authenticate", "Cache-Control", "Expires", "Date", "Location", "Retry-After", "Vary", "Age", "Warning", "Max-Forwards",
    };

    /// <returns>False for what the proxy owns, what names the caller, and what concerns one connection only.</returns>
    public static bool GoesUpstream(string name) =>
        !Dropped.Contains(name)
        && !StartsWith(name, "SendProxy-")
        && !StartsWith(name, "X-Forwarded-")
        && !StartsWith(name, "Sec-")
        && !StartsWith(name, "Proxy-");

    /// <returns>False also for SendProxy-*, so that an upstream cannot forge what the proxy says, and for Content-Length, which the proxy knows better.</returns>
    public static bool ComesBack(string name) => !DroppedFromAnswer.Contains(name) && !StartsWith(name, "SendProxy-");

    /// <returns>False also for what frames, routes or authenticates a message: it must not come behind its body (RFC 9110, 6.5.1).</returns>
    public static bool ComesBackInTrailer(string name) =>
        ComesBack(name) && !StartsWith(name, "Content-") && !StartsWith(name, "Idempotency-") && !NotInTrailer.Contains(name);

    private static bool StartsWith(string name, string prefix) => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase);
}
