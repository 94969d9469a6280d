using System.Net;
using SendProxy.Configuration;

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
internal sealed record ListenOptions(
    IReadOnlyList<ListenAddress> Egress, IReadOnlyList<ListenAddress> Webhooks, IReadOnlyList<ListenAddress> Metrics, string? AdminSocket)
{
    private const string UnixPrefix = "unix:";

    public static ListenOptions Read(SettingsReader listen) => new(
        Egress: Addresses(listen, "egress", ["127.0.0.1:4750", "[::1]:4750"], "The local port for applications; also unix:/path."),
        Webhooks: Addresses(listen, "webhooks", ["[::]:4751"], "Where vendors' webhooks arrive."),
        Metrics: Addresses(listen, "metrics", ["[::]:4752"], "/metrics, /livez, /readyz, /startupz."),
        AdminSocket: listen.FilePath("adminSocket", null,
            "The unix socket (mode 0600) that commands talk to. Default: beside the journal; without one ${XDG_RUNTIME_DIR:-/tmp}/sendproxy-UID/."));

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
