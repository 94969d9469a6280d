namespace SendProxy.Queueing;

/// <summary>
/// Why the store did not do it. Nothing was changed; only where a store of another machine was lost in the middle of a call it is not known.
/// </summary>
internal enum QueueError
{
    /// <summary>No space is left: on the disk, or in Redis' maxmemory. Heals when there is space.</summary>
    DiskFull,

    /// <summary>The journal's hard bound is met. Heals when finished items are removed.</summary>
    BoundReached,

    /// <summary>The store failed: I/O, connection. May heal.</summary>
    StoreFailed,

    /// <summary>The queue is closed.</summary>
    StoreClosed,

    /// <summary>An item is larger than <c>journal.maxItemBytes</c>: it never fits.</summary>
    TooLarge,

    /// <summary>The store keeps less than <c>journal.minimum</c> now. Heals when it keeps as much again.</summary>
    NotDurable,
}

/// <summary>A bound of the journal's settings.</summary>
internal enum QueueBound
{
    /// <summary><c>journal.maxItems</c>.</summary>
    MaxItems,

    /// <summary><c>journal.maxBytes</c>.</summary>
    MaxBytes,
}

/// <summary>What became of one new item.</summary>
internal enum EnqueueVerdict
{
    /// <summary>Stored as well as <see cref="IMessageQueue.Durability"/> says.</summary>
    Stored,

    /// <summary>Its dedupe key or id is there already.</summary>
    Duplicate,

    /// <summary>A bound of the journal; not stored.</summary>
    Full,

    /// <summary>The store failed; not stored.</summary>
    Failed,
}

/// <summary>
/// <c>Id</c> of the stored or the earlier item, else empty; <c>RetryAfter</c> when full: how long until another try is
/// worth it; <c>Error</c> when failed; <c>Lease</c> of a stored item that has <see cref="NewItem.LeaseFor"/>.
/// </summary>
internal readonly record struct EnqueueResult(
    EnqueueVerdict Verdict, Guid Id = default, TimeSpan RetryAfter = default, QueueError? Error = null, Lease? Lease = null)
{
    public static EnqueueResult Stored(Guid id) => new(EnqueueVerdict.Stored, id);

    public static EnqueueResult Duplicate(Guid existing) => new(EnqueueVerdict.Duplicate, existing);

    public static EnqueueResult Full(TimeSpan retryAfter) => new(EnqueueVerdict.Full, RetryAfter: retryAfter);

    public static EnqueueResult Failed(QueueError error) => new(EnqueueVerdict.Failed, Error: error);
}

/// <summary>What became of a change.</summary>
internal enum QueueVerdict
{
    Done,

    /// <summary>The lease is not the current one, or the item is finished. Whoever holds it must stop.</summary>
    Stale,

    NotFound,

    /// <summary>Not in this state.</summary>
    Refused,

    /// <summary>A bound of the journal; nothing changed.</summary>
    Full,

    /// <summary>The store failed; nothing changed.</summary>
    Failed,
}

/// <summary>
/// <c>RetryAfter</c> when full, <c>Error</c> when failed, <c>State</c> when refused: the one it is in.
/// </summary>
internal readonly record struct QueueResult(
    QueueVerdict Verdict, TimeSpan RetryAfter = default, QueueError? Error = null, ItemState? State = null)
{
    public bool IsDone => Verdict == QueueVerdict.Done;

    public static QueueResult Refused(ItemState state) => new(QueueVerdict.Refused, State: state);

    public static QueueResult Failed(QueueError error) => new(QueueVerdict.Failed, Error: error);

    public static implicit operator QueueResult(QueueVerdict verdict) => new(verdict);
}

/// <summary>A value, or the error that stood in its way.</summary>
internal readonly record struct QueueRead<T>(T? Value, QueueError? Error = null);

/// <summary>
/// Leased items, maybe none. <c>NextDue</c>: when the next item that this claim may have becomes due, null when none
/// waits. <c>Version</c>: what had happened in the queue by then, for <see cref="IMessageQueue.WaitForWorkAsync"/>.
/// </summary>
internal sealed record ClaimResult(
    IReadOnlyList<ClaimedItem> Items, DateTimeOffset? NextDue, long Version, QueueError? Error = null);

/// <summary>One page; <c>Next</c> is null on the last.</summary>
internal sealed record ItemPage(IReadOnlyList<StoredItem> Items, string? Next);

/// <summary>How much of the queue may still be opened with one seal key.</summary>
/// <param name="Key">The key's public name; it need not be one of the configured keys.</param>
/// <param name="Items">Items that are neither done nor discarded.</param>
/// <param name="Oldest">When the oldest of them arrived.</param>
internal sealed record SealKeyUse(Secrets.Sealing.SealKeyId Key, long Items, DateTimeOffset? Oldest);

/// <summary>One step of a check of what is stored.</summary>
/// <param name="Items">Items that were looked at.</param>
/// <param name="Damaged">Of them, those whose bytes are not as they were sealed.</param>
/// <param name="Lost">Of them, those that cannot be read any more.</param>
/// <param name="Next">Where the next step begins; null at the end.</param>
internal sealed record ItemCheck(int Items, int Damaged, int Lost, string? Next);

/// <summary>Items in one state of one route and group.</summary>
internal readonly record struct QueueCount(ItemState State, string Route, string Group, long Items);
