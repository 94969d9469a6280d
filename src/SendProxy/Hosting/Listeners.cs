using Microsoft.AspNetCore.Server.Kestrel.Core;
using KestrelListenOptions = Microsoft.AspNetCore.Server.Kestrel.Core.ListenOptions;

namespace SendProxy.Hosting;

/// <summary>The listeners; each answers its own paths only.</summary>
internal enum ListenerKind
{
    Egress,
    Webhooks,
    Metrics,
    Admin,
}

/// <summary>
/// Which listener is where: known with its real port once the server has started. A feature of each connection, so that who asks the
/// wrong port is told the right one.
/// </summary>
internal sealed class BoundListeners
{
    private readonly List<(ListenerKind Kind, KestrelListenOptions Options)> _all = [];

    public IEnumerable<(ListenerKind Kind, string Address)> All => _all.Select(l => (l.Kind, l.Options.ToString() ?? ""));

    public void Add(ListenerKind kind, KestrelListenOptions options) => _all.Add((kind, options));

    /// <returns>The port on which the request's process has this listener: <c>listen.webhooks (4751)</c>. No address, which is nobody's business.</returns>
    public static string PortOf(ListenerKind kind, HttpContext? context)
    {
        var setting = $"listen.{kind.ToString().ToLowerInvariant()}";
        if (context?.Features.Get<BoundListeners>() is not { } listeners)
        {
            return setting;
        }

        var ports = listeners._all.Where(l => l.Kind == kind)
            .Select(l => l.Options.IPEndPoint?.Port.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "a unix socket").Distinct();
        return $"{setting} ({(ports.Any() ? string.Join(", ", ports) : "of another process: this one has not the role")})";
    }
}

/// <summary>
/// Binds Kestrel to what is configured and hands each request to its listener's delegate: no routing between them, so that
/// nothing in a request, neither its Host nor its target, can reach another listener's paths.
/// </summary>
internal static class Listeners
{
    /// <param name="admin">Where commands are answered; not at all where it could not be had.</param>
    /// <param name="bound">Learns which listener is where.</param>
    /// <param name="connections">Counts and bounds what comes in.</param>
    public static void Bind(
        KestrelServerOptions kestrel, ListenOptions listen, Roles roles, AdminSocket admin, BoundListeners bound, Func<ConnectionLimiter> connections)
    {
        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false;

        // RFC 9110, 5.5: octets above 0x7f in a vendor's headers are opaque and go out as they came; the default would refuse them.
        kestrel.ResponseHeaderEncodingSelector = static _ => System.Text.Encoding.Latin1;
        // The rooms bound bodies themselves, by route and by source.
        kestrel.Limits.MaxRequestBodySize = null;
        // It averages over the whole body; DataRateMonitor measures what comes now.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.RequestHeadersTimeout = listen.HeadersTimeout;
        // Kestrel refuses what is longer without a body: what is a little too long is refused by the local port, with the reason.
        kestrel.Limits.MaxRequestLineSize = listen.MaxTarget + 4096;
        // Bytes above 0x7f in a header's value (UTF-8, or Latin-1 of older programs) are passed on as they are.
        kestrel.RequestHeaderEncodingSelector = EncodingOf;
        kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);
        if (roles.HasFlag(Roles.Egress))
        {
            Add(kestrel, listen.Egress, ListenerKind.Egress, bound, connections);
        }

        if (roles.HasFlag(Roles.Webhooks))
        {
            Add(kestrel, listen.Webhooks, ListenerKind.Webhooks, bound, connections);
        }

        if (admin.Bound is not null)
        {
            kestrel.ListenUnixSocket(admin.Path, options => Use(options, ListenerKind.Admin, bound, connections));
        }

        // Last: who waits for the line that tells of it knows that all are up.
        Add(kestrel, listen.Metrics, ListenerKind.Metrics, bound, connections);
    }

    // What frames a message is read as Kestrel reads it by itself: with an encoding of ours it takes a NUL behind a Content-Length.
    private static System.Text.Encoding? EncodingOf(string header) =>
        header is "Content-Length" or "Transfer-Encoding" or "Host" or "Connection" ? null : System.Text.Encoding.Latin1;

    private static void Add(KestrelServerOptions kestrel, IReadOnlyList<ListenAddress> addresses, ListenerKind kind, BoundListeners bound, Func<ConnectionLimiter> connections)
    {
        var usable = addresses.Select(a => a.Tcp is { } tcp ? a with { Tcp = Ipv6Fallback.For(tcp) } : a)
            .Where(a => a.Tcp is not null || a.UnixPath is not null).Distinct().ToArray();
        foreach (var address in usable.Length > 0 ? usable : addresses)
        {
            if (address.UnixPath is { } path)
            {
                StaleSocket.Remove(path);
                kestrel.ListenUnixSocket(path, options => Use(options, kind, bound, connections));
            }
            else
            {
                kestrel.Listen(address.Tcp!, options => Use(options, kind, bound, connections));
            }
        }
    }

    private static void Use(KestrelListenOptions options, ListenerKind kind, BoundListeners bound, Func<ConnectionLimiter> connections)
    {
        bound.Add(kind, options);
        options.Protocols = HttpProtocols.Http1;
        options.Use(next => connection =>
        {
            connection.Features.Set(bound);
            return connections().RunAsync(kind, connection, next);
        });
    }
}
