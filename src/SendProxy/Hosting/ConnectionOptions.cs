using SendProxy.Configuration;

namespace SendProxy.Hosting;

/// <summary>How many connections each listener takes. Section <c>listen.maxConnections</c>; null: derived from the memory budget.</summary>
internal sealed record ConnectionOptions(int? Egress, int? Webhooks, int Metrics, int? PerAddress)
{
    /// <summary>What a connection is charged to the memory budget: what Kestrel reads ahead of it, with the largest head, and its objects.</summary>
    public const int ConnectionBytes = ReadAheadBytes + (16 * 1024);

    /// <summary>How much is read of a connection before somebody takes it. A larger head, to 32 KiB, is taken piece by piece.</summary>
    public const int ReadAheadBytes = 32 * 1024;

    private const int Admin = 16;
    private const int Least = 32;
    private const int Most = 4096;

    public static ConnectionOptions Read(SettingsReader connections) => new(
        Egress: (int?)connections.OptionalInteger("egress", 1, 100_000, "Of the local port. Default: as many as half of process.maxBufferedBytes carries at 48 KiB each, shared with webhooks where both are served; 32 to 4096."),
        Webhooks: (int?)connections.OptionalInteger("webhooks", 1, 100_000, "Of the webhooks listener. Default: as egress."),
        Metrics: (int)connections.Integer("metrics", 64, 1, 10_000, "Of the metrics listener."),
        PerAddress: (int?)connections.OptionalInteger("perAddress", 1, 100_000,
            "Of one peer's address (of IPv6 the first 64 bits) on the webhooks and metrics listeners, and on the local port where guard.allowRemote is set. Default: half of what the listener takes."));

    /// <summary>The connections that one listener takes.</summary>
    /// <param name="budget">Bytes of the memory budget.</param>
    public int Of(ListenerKind kind, long budget, Roles roles) => kind switch
    {
        ListenerKind.Egress => Egress ?? Derived(budget, roles),
        ListenerKind.Webhooks => Webhooks ?? Derived(budget, roles),
        ListenerKind.Metrics => Metrics,
        _ => Admin,
    };

    /// <summary>The connections that one listener takes of one address. Whoever calls the local port from this machine has one address.</summary>
    public int OfAddress(ListenerKind kind, int all, bool isRemoteAllowed) => kind switch
    {
        ListenerKind.Admin => all,
        ListenerKind.Egress when !isRemoteAllowed => all,
        _ => Math.Min(all, PerAddress ?? Math.Max(1, all / 2)),
    };

    private static int Derived(long budget, Roles roles)
    {
        var listeners = roles.HasFlag(Roles.Egress | Roles.Webhooks) ? 2 : 1;
        return (int)Math.Clamp(budget / 2 / ConnectionBytes / listeners, Least, Most);
    }
}
