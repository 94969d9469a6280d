namespace SendProxy.Queueing;

/// <summary>An item as it is stored.</summary>
internal sealed record StoredItem
{
    public required Guid Id { get; init; }

    public required string Queue { get; init; }

    public required int SchemaVersion { get; init; }

    public required ItemState State { get; init; }

    public required string Route { get; init; }

    public required string Group { get; init; }

    public string? OrderKey { get; init; }

    public required int Lane { get; init; }

    /// <summary>Attempts made, as the owner counted them.</summary>
    public required int Attempts { get; init; }

    /// <summary>An attempt may have been started whose end is not known.</summary>
    public required bool Attempting { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required DateTimeOffset Due { get; init; }

    public DateTimeOffset? Deadline { get; init; }

    public DateTimeOffset? Expires { get; init; }

    public DateTimeOffset? Finished { get; init; }

    public string? IdempotencyKey { get; init; }

    public string? KeyFingerprint { get; init; }

    /// <summary>Why it waits or how it ended: the owner's code in snake_case.</summary>
    public string? Reason { get; init; }

    /// <summary>Null when it does not open.</summary>
    public ReadOnlyMemory<byte>? Metadata { get; init; }

    /// <summary>Null when it does not open or was not asked for.</summary>
    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary>The last response; its body is empty where it does not open or was not asked for.</summary>
    public ItemResponse? Response { get; init; }
}

/// <summary>What the other side said last. The body is sealed in the store.</summary>
/// <param name="Status">HTTP status, or 0 when there was no answer.</param>
/// <param name="Body">In the owner's form; to be kept small.</param>
internal sealed record ItemResponse(int Status, ReadOnlyMemory<byte> Body);

/// <summary>A leased item, opened.</summary>
internal sealed record ClaimedItem(Lease Lease, StoredItem Item)
{
    /// <summary>Metadata; a claimed item always opens.</summary>
    public ReadOnlyMemory<byte> Metadata => Item.Metadata.GetValueOrDefault();

    /// <summary>Body; a claimed item always opens.</summary>
    public ReadOnlyMemory<byte> Body => Item.Body.GetValueOrDefault();
}

/// <summary>The right to move one item. The fencing <c>Token</c> grows with every claim of the item.</summary>
internal readonly record struct Lease(string Queue, Guid Id, long Token);
