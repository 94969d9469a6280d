using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace SendProxy.Load;

/// <summary>What to send, where and how fast.</summary>
/// <param name="Rate">Requests a second, constant, whether or not answers come (open loop); 0: each connection sends again as soon as it has its answer (closed loop).</param>
/// <param name="Body">Bytes of the JSON body.</param>
/// <param name="Secret">Signs each request as a Standard Webhook with an id of its own; empty: nothing is signed.</param>
internal sealed record LoadOptions(
    EndPoint Address, string Host, string Path, int Connections, double Rate, TimeSpan Warmup, TimeSpan Duration, int Body, byte[] Secret)
{
    public const string Usage = """
        usage: sendproxy-load --url http://HOST:PORT/PATH | unix:SOCKET:/PATH [--connections 32] [--rate 0] [--warmup 0.5] [--seconds 5]
                              [--body 1024] [--sign whsec_BASE64]
        """;

    private const string UnixPrefix = "unix:";
    private const string SecretPrefix = "whsec_";

    /// <returns>Null where a flag is missing, unknown or malformed.</returns>
    public static LoadOptions? Parse(string[] args)
    {
        var flags = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["--url"] = "",
            ["--connections"] = "32",
            ["--rate"] = "0",
            ["--warmup"] = "0.5",
            ["--seconds"] = "5",
            ["--body"] = "1024",
            ["--sign"] = "",
        };
        for (var i = 0; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length || !flags.ContainsKey(args[i]))
            {
                return null;
            }

            flags[args[i]] = args[i + 1];
        }

        if (Place(flags["--url"]) is not var (address, host, path))
        {
            return null;
        }

        var sign = flags["--sign"];
        return new(
            address, host, path,
            Math.Clamp((int)Number(flags["--connections"]), 1, 20_000), Math.Clamp(Number(flags["--rate"]), 0, 1_000_000),
            TimeSpan.FromSeconds(Number(flags["--warmup"])), TimeSpan.FromSeconds(Math.Clamp(Number(flags["--seconds"]), 0.1, 600)),
            Math.Clamp((int)Number(flags["--body"]), 64, 64 << 20),
            sign.StartsWith(SecretPrefix, StringComparison.Ordinal) ? Convert.FromBase64String(sign[SecretPrefix.Length..]) : []);
    }

    private static double Number(string text) => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);

    private static (EndPoint Address, string Host, string Path)? Place(string url)
    {
        if (url.StartsWith(UnixPrefix, StringComparison.Ordinal) && url.IndexOf(':', UnixPrefix.Length) is > 0 and var colon)
        {
            return (new UnixDomainSocketEndPoint(url[UnixPrefix.Length..colon]), "localhost", url[(colon + 1)..]);
        }

        // Loopback only: a load generator has no business elsewhere.
        return Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp && IPAddress.TryParse(uri.Host, out var ip) && IPAddress.IsLoopback(ip)
            ? (new IPEndPoint(ip, uri.Port), uri.Authority, uri.PathAndQuery)
            : null;
    }
}
