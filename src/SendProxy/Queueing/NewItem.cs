namespace SendProxy.Queueing;

/// <summary>What is to be stored. Body and metadata are sealed before they reach the store.</summary>
internal sealed record NewItem
{
    /// <summary>Unique within the queue; a second item of the same id is a duplicate. Default: a new UUIDv7.</summary>
    public Guid? Id { get; init; }

    public required string Queue { get; init; }

    /// <summary>The owner's version of metadata and body.</summary>
    public int SchemaVersion { get; init; } = 1;

    /// <summary>Configured route, source or subscriber set; part of the seal; may be held.</summary>
    public required string Route { get; init; }

    /// <summary>What is claimed, limited and held together: a session, a subscriber. Empty: none.</summary>
    public string Group { get; init; } = "";

    /// <summary>
    /// Within queue, route and group never two of one key are in flight, and they go in order of arrival.
    /// </summary>
    public string? OrderKey { get; init; }

    /// <summary>Urgency 0 to 2, the smaller first.</summary>
    public int Lane { get; init; } = 1;

    /// <summary>Not to be claimed before. Default: now.</summary>
    public DateTimeOffset? Due { get; init; }

    /// <summary>The owner starts no attempt after it; the queue only keeps it.</summary>
    public DateTimeOffset? Deadline { get; init; }

    /// <summary>From then on it is claimed only as expired.</summary>
    public DateTimeOffset? Expires { get; init; }

    public DedupeKey? Dedupe { get; init; }

    /// <summary>Sent with every attempt, byte for byte.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>Which credential it goes out with: first 8 hex of the key's SHA-256.</summary>
    public string? KeyFingerprint { get; init; }

    /// <summary>
    /// Not null: it is stored as if it had been claimed and marked in the same commit, since an attempt of it already runs. How long the
    /// lease holds where the store has leases. Such an item has no order key.
    /// </summary>
    public TimeSpan? LeaseFor { get; init; }

    /// <summary>Headers and whatever else the owner keeps; opaque.</summary>
    public ReadOnlyMemory<byte> Metadata { get; init; }

    public required ReadOnlyMemory<byte> Body { get; init; }
}

/// <summary>One name for one event. Two items with it inside the window are one.</summary>
/// <param name="Scope">Whose names these are: a webhook source. From the configuration.</param>
/// <param name="Key">The vendor's event id, or a hash of the body. Kept only as SHA-256.</param>
/// <param name="Window">How long it is remembered; DESIGN section 9: 48 h.</param>
/// <param name="MaxIds">How many are remembered in this scope; beyond, the oldest is forgotten and counted.</param>
internal sealed record DedupeKey(string Scope, string Key, TimeSpan Window, int MaxIds);
