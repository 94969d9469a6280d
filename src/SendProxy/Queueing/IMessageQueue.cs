namespace SendProxy.Queueing;

/// <summary>
/// The durable queue: what was stored here survives as far as <see cref="Durability"/> says. One contract for every
/// store; a store passes <c>MessageQueueContract</c>. Failures of the store are values; a call that is cancelled before
/// its work began has changed nothing, and one that began is waited for. Queue names come from the program or the
/// configuration, never from a request.
/// </summary>
/// <remarks>
/// An item's way: <c>Queued -> Leased -> Done | Dead | Unknown | Expired</c>, or back by retry or give-back. Only the
/// holder of the current <see cref="Lease"/> moves a leased item; everybody else's lease is <c>Stale</c>.
/// A worker's loop: claim; nothing there: <see cref="WaitForWorkAsync"/> with that claim; else mark, send, finish.
/// </remarks>
internal interface IMessageQueue : IAsyncDisposable
{
    /// <summary>How well an item is stored when <see cref="EnqueueAsync"/> has answered.</summary>
    public Durability Durability { get; }

    /// <summary>The bound that refuses new items now; null while there is room.</summary>
    public QueueBound? BoundReached { get; }

    /// <summary>
    /// Stores each item unless its dedupe key or its id is there already. One result per item, in order. The items of
    /// one call are not all-or-nothing: some may be stored and others <c>Full</c>.
    /// </summary>
    public ValueTask<IReadOnlyList<EnqueueResult>> EnqueueAsync(IReadOnlyList<NewItem> items, CancellationToken cancel);

    /// <summary>
    /// Leases up to <see cref="ClaimRequest.Max"/> due items that are neither held, expired nor behind another of their
    /// order key; by lane, due time, arrival. What does not open is held, told, and left out.
    /// </summary>
    public ValueTask<ClaimResult> ClaimAsync(ClaimRequest request, CancellationToken cancel);

    /// <summary>Records durably that an attempt may be started. To be awaited before the first byte is sent.</summary>
    public ValueTask<QueueResult> MarkAttemptingAsync(Lease lease, AttemptMark mark, CancellationToken cancel);

    /// <summary>
    /// Ends a leased item and stores what follows from it, both or neither. What follows has room of its own, which
    /// <see cref="EnqueueAsync"/> leaves to it, and the place of the ended item. Following items are idempotent by id: one
    /// that is there already is no failure. <c>Full</c>: nothing changed and the lease still holds.
    /// </summary>
    public ValueTask<QueueResult> FinishAsync(Lease lease, Finish finish, CancellationToken cancel);

    /// <summary>Puts a leased item back to be claimed again from <see cref="Retry.Due"/> on.</summary>
    public ValueTask<QueueResult> RetryAsync(Lease lease, Retry retry, CancellationToken cancel);

    /// <summary>
    /// Puts a leased item back as it was when it was claimed: the caller knows that nothing was started under this
    /// lease.
    /// </summary>
    public ValueTask<QueueResult> GiveBackAsync(Lease lease, CancellationToken cancel);

    /// <summary>Stops claims of a route or group, durably. Again: reason and time are replaced.</summary>
    public ValueTask<QueueResult> HoldAsync(Hold hold, CancellationToken cancel);

    /// <summary>Lets a held route or group go on. <c>NotFound</c> when it was not held.</summary>
    public ValueTask<QueueResult> ReleaseAsync(string queue, HoldScope scope, string name, CancellationToken cancel);

    public ValueTask<QueueRead<IReadOnlyList<Hold>>> HoldsAsync(string queue, CancellationToken cancel);

    /// <summary>
    /// Puts a <c>Dead</c> or <c>Expired</c> item back to <c>Queued</c>: no attempts, no deadline, the idempotency key
    /// stays. With <see cref="Replay.MaySendTwice"/> also an <c>Unknown</c> one, or an expired one whose attempt may
    /// have been started. Otherwise <c>Refused</c> with the state it is in.
    /// </summary>
    public ValueTask<QueueResult> ReplayAsync(string queue, Guid id, Replay replay, CancellationToken cancel);

    /// <summary>
    /// Replaces body and idempotency key of an item that is waiting or dead. <c>Refused</c> when it is leased, finished
    /// otherwise, or an attempt of it may have been started. Does not requeue a dead one: that is a replay.
    /// </summary>
    public ValueTask<QueueResult> EditAsync(string queue, Guid id, Edit edit, CancellationToken cancel);

    /// <summary>
    /// Ends an item that is waiting, held, dead, unknown or expired. <c>Refused</c> when it is leased, done, or waits with an
    /// attempt that may have been started: that would call undone what may have happened.
    /// </summary>
    public ValueTask<QueueResult> DiscardAsync(string queue, Guid id, CancellationToken cancel);

    /// <summary>The item with its body. <see cref="QueueRead{T}.Value"/> is null and no error: there is none.</summary>
    public ValueTask<QueueRead<StoredItem>> GetAsync(string queue, Guid id, CancellationToken cancel);

    /// <summary>A page in order of arrival, without bodies and answers' bodies.</summary>
    public ValueTask<QueueRead<ItemPage>> ListAsync(ListRequest request, CancellationToken cancel);

    /// <summary>How many items there are by state, route and group; zeros are left out.</summary>
    public ValueTask<QueueRead<IReadOnlyList<QueueCount>>> CountsAsync(string queue, CancellationToken cancel);

    /// <summary>Age of the oldest item that is not finished; zero when there is none.</summary>
    public ValueTask<QueueRead<TimeSpan>> OldestAgeAsync(string queue, CancellationToken cancel);

    /// <summary>Which seal keys what is stored still needs; a key that nothing needs is left out.</summary>
    public ValueTask<QueueRead<IReadOnlyList<SealKeyUse>>> SealKeysAsync(CancellationToken cancel);

    /// <summary>
    /// Looks at some of what is stored and may still be needed: whether it is there and opens. What is not is told by name; its
    /// state does not change, since a claim holds it.
    /// </summary>
    /// <param name="cursor">Null to begin; then <see cref="ItemCheck.Next"/> of the step before.</param>
    public ValueTask<QueueRead<ItemCheck>> CheckAsync(string? cursor, CancellationToken cancel);

    /// <summary>
    /// Removes up to <paramref name="max"/> finished items and outlived dedupe keys. To be called again soon when that
    /// many were removed, otherwise some seconds later.
    /// </summary>
    public ValueTask<QueueRead<int>> SweepAsync(int max, CancellationToken cancel);

    /// <summary>
    /// Completes when something that <paramref name="last"/> did not see may be claimable, or its
    /// <see cref="ClaimResult.NextDue"/> has come. May complete for nothing; never misses something.
    /// </summary>
    public ValueTask WaitForWorkAsync(string queue, ClaimResult last, CancellationToken cancel);
}
