using SendProxy.Configuration;

namespace SendProxy.Upstreams.Connections;

/// <summary>Section <c>connections</c>.</summary>
/// <param name="Proxy">Tunnels every connection by CONNECT; null: none, whatever the environment says.</param>
internal sealed record ConnectionOptions(int Max, TimeSpan Idle, TimeSpan Lifetime, bool Http2, Uri? Proxy)
{
    public static ConnectionOptions Read(SettingsReader connections)
    {
        var options = new ConnectionOptions(
            Max: (int)connections.Integer("max", 100, 1, 10_000, "Most connections to the vendor at once."),
            Idle: connections.Duration("idle", "30s", "1s", "1h", "An idle connection is closed after this; keep it below the vendor's own."),
            Lifetime: connections.Duration("lifetime", "5m", "1s", "24h", "A connection is renewed after this, so that DNS changes are seen."),
            Http2: connections.Flag("http2", false, "Use HTTP/2 where the vendor offers it."),
            Proxy: connections.Url("proxy", required: false,
                "An HTTP proxy that tunnels to the vendor by CONNECT; it may be in a private network. It resolves the vendor's name, so the rules for addresses cannot hold behind it. No user or password.",
                "http://proxy:3128", "http").Item1);
        connections.Check(options.Proxy is null or { AbsolutePath: "/", Query: "" }, "proxy", "takes host and port only");
        return options;
    }
}
