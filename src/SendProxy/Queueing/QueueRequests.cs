namespace SendProxy.Queueing;

/// <summary>What a worker wants to have.</summary>
internal sealed record ClaimRequest(string Queue, int Max)
{
    /// <summary>
    /// Stored bytes after which no further item is claimed, so that a backlog of large items does not fill the memory. The first item is
    /// claimed whatever its size.
    /// </summary>
    public long MaxBytes { get; init; } = 4 << 20;

    /// <summary>
    /// Most items of one route and group in this claim, so that one backlog does not fill it. Default: no bound.
    /// </summary>
    public int MaxPerGroup { get; init; } = int.MaxValue;

    /// <summary>Only these groups. Default: all.</summary>
    public IReadOnlySet<string>? OnlyGroups { get; init; }

    /// <summary>Not these groups: paused, at their bound, or without a passing probe.</summary>
    public IReadOnlySet<string>? ExcludedGroups { get; init; }

    /// <summary>Not these routes.</summary>
    public IReadOnlySet<string>? ExcludedRoutes { get; init; }

    /// <summary>
    /// Claim items whose time is over instead, held and not yet due ones too, so that the owner finishes them.
    /// </summary>
    public bool Expired { get; init; }

    /// <summary>
    /// Mark them as attempting in the same commit. <see cref="IMessageQueue.GiveBackAsync"/> takes it back.
    /// </summary>
    public bool Mark { get; init; }

    /// <summary>How long the lease holds where the store has leases; one process on SQLite has none.</summary>
    public TimeSpan LeaseFor { get; init; } = TimeSpan.FromSeconds(15);
}

/// <summary>What is recorded before an attempt; null leaves what is there.</summary>
internal sealed record AttemptMark(string? KeyFingerprint = null, DateTimeOffset? Deadline = null);

/// <summary>How a leased item ends: Done, Dead, Unknown or Expired.</summary>
internal sealed record Finish(ItemState State)
{
    public string? Reason { get; init; }

    public ItemResponse? Response { get; init; }

    /// <summary>Added to the item's attempts.</summary>
    public int AttemptsMade { get; init; } = 1;

    /// <summary>Items stored in the same commit; each with an id of its own.</summary>
    public IReadOnlyList<NewItem> Next { get; init; } = [];

    public static Finish Done(ItemResponse? response = null) => new(ItemState.Done) { Response = response };

    public static Finish Dead(string reason, ItemResponse? response = null) =>
        new(ItemState.Dead) { Reason = reason, Response = response };

    public static Finish Unknown(string reason, ItemResponse? response = null) =>
        new(ItemState.Unknown) { Reason = reason, Response = response };

    public static Finish Expired(string reason = "expired") =>
        new(ItemState.Expired) { Reason = reason, AttemptsMade = 0 };
}

/// <summary>How a leased item goes back to be tried again.</summary>
internal sealed record Retry(DateTimeOffset Due, string Reason)
{
    public ItemResponse? Response { get; init; }

    /// <summary>Added to the item's attempts; 0 where nothing was tried.</summary>
    public int AttemptsMade { get; init; } = 1;

    /// <summary>The attempt may have taken effect: the mark stays.</summary>
    public bool KeepAttempting { get; init; }

    /// <summary>Those behind it under its order key do not wait for it any more.</summary>
    public bool LetOthersPass { get; init; }
}

/// <summary>What is held.</summary>
internal enum HoldScope
{
    Route = 0,
    Group = 1,
}

/// <summary>
/// A stop of claims for one route or group of a queue. The queue sets <c>Since</c>; a request's is ignored.
/// </summary>
internal sealed record Hold(string Queue, HoldScope Scope, string Name, string Reason, DateTimeOffset Since = default);

/// <summary><c>MaySendTwice</c>: the caller accepts that an unknown item may take effect a second time.</summary>
internal sealed record Replay(bool MaySendTwice = false);

/// <summary>A changed message is another message: it has another key.</summary>
internal sealed record Edit(ReadOnlyMemory<byte> Metadata, ReadOnlyMemory<byte> Body, string? IdempotencyKey);

/// <summary>
/// A page of up to <c>Max</c> items in a state, or in any when null. <c>Cursor</c> is <see cref="ItemPage.Next"/> of
/// the page before, or null for the first.
/// </summary>
internal sealed record ListRequest(string Queue, ItemState? State = null, string? Cursor = null, int Max = 100);
