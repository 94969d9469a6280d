using System.Net;
using SendProxy.Configuration;
using SendProxy.Overload;

namespace SendProxy.Hosting;

/// <summary>What a part of the process does. A gateway that faces the internet need not hold upstream keys.</summary>
[Flags]
internal enum Roles
{
    None = 0,

    /// <summary>The local port for applications.</summary>
    Egress = 1,

    /// <summary>Receives vendors' webhooks.</summary>
    Webhooks = 2,

    /// <summary>Sends the outbox, fans events out.</summary>
    Worker = 4,
}

/// <summary>An address to listen on: a TCP endpoint, or a unix socket.</summary>
internal sealed record ListenAddress(IPEndPoint? Tcp, string? UnixPath)
{
    public bool IsLocal => Tcp is null || IPAddress.IsLoopback(Tcp.Address);

    public override string ToString() => Tcp?.ToString() ?? $"unix:{UnixPath}";
}

/// <summary>Where the process listens. Section <c>listen</c>; cannot be changed while running.</summary>
/// <param name="SocketMode">Of the unix sockets that requests come in by: who may write may send.</param>
/// <param name="HeadersTimeout">How long a request's head may take; longer ends in 408.</param>
/// <param name="MaxTarget">Characters of a request's path and query.</param>
internal sealed record ListenOptions(
    IReadOnlyList<ListenAddress> Egress, IReadOnlyList<ListenAddress> Webhooks, IReadOnlyList<ListenAddress> Metrics, string? AdminSocket,
    TimeSpan HeadersTimeout, UnixFileMode SocketMode, int MaxTarget, ConnectionOptions Connections, DataRateOptions Rates)
{
    private const string UnixPrefix = "unix:";

    public static ListenOptions Read(SettingsReader listen) => new(
        Egress: Addresses(listen, "egress", ["127.0.0.1:4750", "[::1]:4750"], "The local port for applications; also unix:/path."),
        Webhooks: Addresses(listen, "webhooks", ["[::]:4751"], "Where vendors' webhooks arrive."),
        Metrics: Addresses(listen, "metrics", ["[::]:4752"], "/metrics, /livez, /readyz, /startupz."),
        AdminSocket: listen.FilePath("adminSocket", null,
            "The unix socket (mode 0600) that commands talk to. Default: beside the journal; without one ${XDG_RUNTIME_DIR:-/tmp}/sendproxy-UID/."),
        HeadersTimeout: listen.Duration("headersTimeout", "10s", "1s", "2m", "How long the head of a request may take to come; longer ends in 408, on every listener."),
        SocketMode: ReadMode(listen),
        // RFC 9110, 4.1 asks senders and receivers for 8,000 at least.
        MaxTarget: (int)listen.Size("maxTarget", "8KiB", "1KiB", "64KiB", "Longest path and query of a request; a longer one gets 400 request_malformed, a much longer one 414."),
        Connections: ConnectionOptions.Read(listen.Section("maxConnections", "Connections at once; beyond it the one that has waited longest without a request is closed.")),
        Rates: DataRateOptions.Read(listen));

    /// <returns>True where nothing differs: lists are compared by what is in them.</returns>
    public bool Same(ListenOptions other) =>
        this with { Egress = other.Egress, Webhooks = other.Webhooks, Metrics = other.Metrics } == other
        && other.Egress.SequenceEqual(Egress) && other.Webhooks.SequenceEqual(Webhooks) && other.Metrics.SequenceEqual(Metrics);

    public static Roles ReadRoles(SettingsReader root)
    {
        var names = root.Texts("roles", ["egress", "webhooks", "worker"], "What this process does: egress, webhooks, worker.", 3);
        var roles = Roles.None;
        foreach (var name in names)
        {
            var role = name switch
            {
                "egress" => Roles.Egress,
                "webhooks" => Roles.Webhooks,
                "worker" => Roles.Worker,
                _ => Roles.None,
            };
            root.Check(role != Roles.None, "roles", $"{Spelling.Quoted(name)} is no role; there are egress, webhooks and worker");
            roles |= role;
        }

        root.Check(names.Count > 0, "roles", "must name at least one of egress, webhooks, worker");
        return roles;
    }

    private static UnixFileMode ReadMode(SettingsReader listen)
    {
        const string Fallback = "0660";
        var text = listen.Text("socketMode", Fallback, "File mode of unix sockets, in octal, 0600 to 0777: who may write to one may send through it.", 4)!;
        var fits = text.Length == 4 && text[0] == '0' && text.All(c => c is >= '0' and <= '7') && (text[1] is '6' or '7');
        listen.Check(fits, "socketMode", $"{Spelling.Quoted(text)} does not fit; write an octal mode from 0600 to 0777 whose owner may read and write: {Fallback}");
        return (UnixFileMode)Convert.ToInt32(fits ? text : Fallback, 8);
    }

    private static List<ListenAddress> Addresses(SettingsReader listen, string key, string[] fallback, string doc)
    {
        var addresses = new List<ListenAddress>();
        foreach (var text in listen.Texts(key, fallback, doc, 8))
        {
            if (text.StartsWith(UnixPrefix, StringComparison.Ordinal) && text.Length > UnixPrefix.Length)
            {
                addresses.Add(new ListenAddress(null, text[UnixPrefix.Length..]));
            }
            else if (IPEndPoint.TryParse(text, out var endpoint) && text.Contains(':', StringComparison.Ordinal) && HasPort(text))
            {
                addresses.Add(new ListenAddress(endpoint, null));
            }
            else
            {
                listen.Fail(key, $"{Spelling.Quoted(text)} is no address to listen on; write 127.0.0.1:4750, \"[::1]:4750\" or unix:/path");
            }
        }

        return addresses;
    }

    // IPEndPoint.TryParse takes ::1 as an address without a port.
    private static bool HasPort(string text) =>
        text.LastIndexOf(':') is var at && (text[0] == '[' ? at > text.IndexOf(']', StringComparison.Ordinal) : text.IndexOf(':', StringComparison.Ordinal) == at);
}
