namespace SendProxy.Queueing;

/// <summary>
/// What an item that was acknowledged survives, weakest first. Wire names: <c>memory, everysec, fsync, replicated</c>.
/// </summary>
internal enum Durability
{
    /// <summary>The end of a request, at most of the process. <c>memory</c>.</summary>
    Memory,

    /// <summary>The end of the process; a loss of power takes up to a second. <c>everysec</c>.</summary>
    Everysec,

    /// <summary>A loss of power. <c>fsync</c>.</summary>
    Fsync,

    /// <summary>The loss of a machine: replicas have it too, and each keeps it at least as everysec. <c>replicated</c>.</summary>
    Replicated,
}

/// <summary>Names of <see cref="Durability"/> in configuration and in the header <c>SendProxy-Durability</c>.</summary>
internal static class DurabilityNames
{
    public static string WireName(this Durability level) => level switch
    {
        Durability.Memory => "memory",
        Durability.Everysec => "everysec",
        Durability.Fsync => "fsync",
        Durability.Replicated => "replicated",
        _ => throw new ArgumentOutOfRangeException(nameof(level), level, "No wire name."),
    };

    /// <returns>Null when <paramref name="name"/> is none of the four.</returns>
    public static Durability? Parse(string name) => name switch
    {
        "memory" => Durability.Memory,
        "everysec" => Durability.Everysec,
        "fsync" => Durability.Fsync,
        "replicated" => Durability.Replicated,
        _ => null,
    };
}
