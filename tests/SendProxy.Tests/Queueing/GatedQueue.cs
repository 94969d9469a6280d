using SendProxy.Queueing;

namespace SendProxy.Tests.Queueing;

/// <summary>A queue whose commits wait for the test, or end as it says; everything else is the real one's.</summary>
internal sealed class GatedQueue(IMessageQueue inner) : IMessageQueue
{
    private TaskCompletionSource? _gate;

    /// <summary>What every new item comes to instead of being stored; null: it is stored.</summary>
    public EnqueueResult? Instead { get; set; }

    public Durability Durability => inner.Durability;

    public QueueBound? BoundReached => inner.BoundReached;

    /// <summary>Commits wait from now on.</summary>
    public void Close() => _gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _gate?.SetResult();

    public async ValueTask<IReadOnlyList<EnqueueResult>> EnqueueAsync(IReadOnlyList<NewItem> items, CancellationToken cancel)
    {
        if (_gate is { } gate)
        {
            await gate.Task;
        }

        return Instead is { } result ? [.. items.Select(_ => result)] : await inner.EnqueueAsync(items, cancel);
    }

    public ValueTask<ClaimResult> ClaimAsync(ClaimRequest request, CancellationToken cancel) => inner.ClaimAsync(request, cancel);

    public ValueTask<QueueResult> MarkAttemptingAsync(Lease lease, AttemptMark mark, CancellationToken cancel) =>
        inner.MarkAttemptingAsync(lease, mark, cancel);

    public ValueTask<QueueResult> FinishAsync(Lease lease, Finish finish, CancellationToken cancel) => inner.FinishAsync(lease, finish, cancel);

    public ValueTask<QueueResult> RetryAsync(Lease lease, Retry retry, CancellationToken cancel) => inner.RetryAsync(lease, retry, cancel);

    public ValueTask<QueueResult> GiveBackAsync(Lease lease, CancellationToken cancel) => inner.GiveBackAsync(lease, cancel);

    public ValueTask<QueueResult> HoldAsync(Hold hold, CancellationToken cancel) => inner.HoldAsync(hold, cancel);

    public ValueTask<QueueResult> ReleaseAsync(string queue, HoldScope scope, string name, CancellationToken cancel) =>
        inner.ReleaseAsync(queue, scope, name, cancel);

    public ValueTask<QueueRead<IReadOnlyList<Hold>>> HoldsAsync(string queue, CancellationToken cancel) => inner.HoldsAsync(queue, cancel);

    public ValueTask<QueueResult> ReplayAsync(string queue, Guid id, Replay replay, CancellationToken cancel) =>
        inner.ReplayAsync(queue, id, replay, cancel);

    public ValueTask<QueueResult> EditAsync(string queue, Guid id, Edit edit, CancellationToken cancel) => inner.EditAsync(queue, id, edit, cancel);

    public ValueTask<QueueResult> DiscardAsync(string queue, Guid id, CancellationToken cancel) => inner.DiscardAsync(queue, id, cancel);

    public ValueTask<QueueRead<StoredItem>> GetAsync(string queue, Guid id, CancellationToken cancel) => inner.GetAsync(queue, id, cancel);

    public ValueTask<QueueRead<ItemPage>> ListAsync(ListRequest request, CancellationToken cancel) => inner.ListAsync(request, cancel);

    public ValueTask<QueueRead<IReadOnlyList<QueueCount>>> CountsAsync(string queue, CancellationToken cancel) => inner.CountsAsync(queue, cancel);

    public ValueTask<QueueRead<TimeSpan>> OldestAgeAsync(string queue, CancellationToken cancel) => inner.OldestAgeAsync(queue, cancel);

    public ValueTask<QueueRead<IReadOnlyList<SealKeyUse>>> SealKeysAsync(CancellationToken cancel) => inner.SealKeysAsync(cancel);

    public ValueTask<QueueRead<ItemCheck>> CheckAsync(string? cursor, CancellationToken cancel) => inner.CheckAsync(cursor, cancel);

    public ValueTask<QueueRead<int>> SweepAsync(int max, CancellationToken cancel) => inner.SweepAsync(max, cancel);

    public ValueTask WaitForWorkAsync(string queue, ClaimResult last, CancellationToken cancel) => inner.WaitForWorkAsync(queue, last, cancel);

    // The inner one is its opener's.
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
