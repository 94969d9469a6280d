using SendProxy.Queueing.Redis.Shards;
using SendProxy.Queueing.Sealed;
using SendProxy.Secrets.Sealing;

namespace SendProxy.Queueing.Redis;

/// <summary>
/// The queue on a Redis that several processes share. Every change is one Lua operation in one slot; times are Redis'. What a
/// process has leased is its own while it lives. docs/decisions/0032.
/// </summary>
internal sealed class RedisMessageQueue : IMessageQueue
{
    private readonly RedisJournal _journal;
    private readonly ItemSeal _seal;
    private readonly TimeProvider _time;
    private readonly QueueMetrics _metrics;
    private readonly QueueSignals _signals;
    private readonly ILogger _logger;
    private readonly RedisInserts _inserts;
    private readonly RedisClaims _claims;
    private readonly RedisTransitions _transitions;
    private readonly RedisReads _reads;
    private readonly RedisSweep _sweep;
    private readonly RedisItemCheck _check;
    private readonly ReplicaWaits _replicas;
    private readonly ForgottenLeases _forgotten;
    private readonly QueueCalls _calls;

    public RedisMessageQueue(RedisJournal journal)
    {
        _journal = journal;
        (_seal, _time, _metrics, _signals, _logger, _calls) = (journal.Seal, journal.Time, journal.Metrics, journal.Signals, journal.Logger, journal.Calls);
        (_inserts, _sweep, _reads, _claims) = (journal.Inserts, journal.Sweep, journal.Reads, journal.Claims);
        _transitions = new RedisTransitions(_calls, _inserts, _reads, _seal);
        _check = new RedisItemCheck(_calls, _seal, _logger);
        _replicas = new ReplicaWaits(_calls, journal.Options);
        _forgotten = new ForgottenLeases(_calls, _sweep, _transitions, journal.RedisMetrics, _logger);
    }

    public Durability Durability => _journal.Level ?? Durability.Memory;

    public QueueBound? BoundReached => _inserts.BoundReached;

    public async ValueTask<IReadOnlyList<EnqueueResult>> EnqueueAsync(IReadOnlyList<NewItem> items, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        if (_calls.IsClosed || !_journal.IsDurable)
        {
            var error = _calls.IsClosed ? QueueError.StoreClosed : _journal.Level is null ? QueueError.StoreFailed : QueueError.NotDurable;
            return [.. items.Select(_ => EnqueueResult.Failed(error))];
        }

        var prepared = items.Select(item => SealedItem.Create(item, _seal, _time)).ToList();
        if (prepared.Find(item => item.SealedBytes > _journal.Options.MaxItemBytes) is { } large)
        {
            RedisQueueLog.TooLarge(_logger, large.Item.Queue, large.Item.Route, large.SealedBytes, _journal.Options.MaxItemBytes);
            return [.. items.Select(_ => EnqueueResult.Failed(QueueError.TooLarge))];
        }

        var results = await _inserts.EnqueueAsync(prepared);
        foreach (var shard in Enumerable.Range(0, results.Length).GroupBy(i => NewItemArguments.ShardOf(prepared[i], _calls.Shards.Count)))
        {
            var isWritten = await WrittenAsync(shard.Key);
            foreach (var i in shard)
            {
                if (results[i].Verdict is EnqueueVerdict.Stored or EnqueueVerdict.Duplicate && !isWritten)
                {
                    results[i] = EnqueueResult.Failed(QueueError.NotDurable);
                }
                else if (results[i].Lease is { } lease)
                {
                    _transitions.Took(lease, items[i].Route);
                }
            }
        }

        return results;
    }

    public async ValueTask<ClaimResult> ClaimAsync(ClaimRequest request, CancellationToken cancel)
    {
        var found = await _claims.ClaimAsync(request, cancel);
        var items = new List<ClaimedItem>(found.Rows.Count);
        foreach (var (row, lease) in found.Rows)
        {
            var item = row.Open(_seal);
            if (item.Body is not null && item.Metadata is not null)
            {
                _transitions.Took(lease, item.Route);
                items.Add(new ClaimedItem(lease, item));
                continue;
            }

            _metrics.Unopenable(request.Queue);
            QueueLog.Damaged(_logger, request.Queue, row.Item.Id, row.Item.Route, row.Item.Created);
            await _transitions.SetAsideAsync(lease, row.SealKey);
        }

        return new ClaimResult(items, found.NextDue, found.Version, found.Error);
    }

    public async ValueTask<QueueResult> MarkAttemptingAsync(Lease lease, AttemptMark mark, CancellationToken cancel)
    {
        var marked = await _transitions.MarkAsync(lease, mark);
        return !marked.IsDone || await WrittenAsync(ShardLease.ShardOf(lease)) ? marked : QueueResult.Failed(QueueError.NotDurable);
    }

    public async ValueTask<QueueResult> FinishAsync(Lease lease, Finish finish, CancellationToken cancel)
    {
        if (finish.State is not (ItemState.Done or ItemState.Dead or ItemState.Unknown or ItemState.Expired))
        {
            throw new ArgumentOutOfRangeException(nameof(finish), finish.State, "Not an end.");
        }

        if (_calls.IsClosed)
        {
            return QueueResult.Failed(QueueError.StoreClosed);
        }

        var next = finish.Next.Select(item => SealedItem.Create(item, _seal, _time)).ToList();
        var finished = await _transitions.FinishAsync(lease, finish, next);
        if (finished.IsDone && next.Count > 0)
        {
            await WrittenAsync(ShardLease.ShardOf(lease)); // Done all the same: to fail it now would end it twice.
        }

        return finished;
    }

    public ValueTask<QueueResult> RetryAsync(Lease lease, Retry retry, CancellationToken cancel) => _transitions.RetryAsync(lease, retry);

    public ValueTask<QueueResult> GiveBackAsync(Lease lease, CancellationToken cancel) => _transitions.GiveBackAsync(lease);

    public async ValueTask<QueueResult> HoldAsync(Hold hold, CancellationToken cancel)
    {
        foreach (var shard in _calls.Shards)
        {
            var reply = await _calls.RunAsync(_calls.Scripts.Hold, shard, hold.Queue, $"{(int)hold.Scope}:{hold.Name}", hold.Reason);
            if (reply.Error is { } error)
            {
                return QueueResult.Failed(error);
            }
        }

        return QueueVerdict.Done;
    }

    public async ValueTask<QueueResult> ReleaseAsync(string queue, HoldScope scope, string name, CancellationToken cancel)
    {
        var wasHeld = false;
        foreach (var shard in _calls.Shards)
        {
            var reply = await _calls.RunAsync(_calls.Scripts.Release, shard, queue, $"{(int)scope}:{name}");
            if (reply.Error is { } error)
            {
                return QueueResult.Failed(error);
            }

            wasHeld |= reply.Text(0) == "done";
        }

        return wasHeld ? QueueVerdict.Done : QueueVerdict.NotFound;
    }

    public ValueTask<QueueRead<IReadOnlyList<Hold>>> HoldsAsync(string queue, CancellationToken cancel) => _reads.HoldsAsync(queue);

    public ValueTask<QueueResult> ReplayAsync(string queue, Guid id, Replay replay, CancellationToken cancel) => _transitions.ReplayAsync(queue, id, replay);

    public ValueTask<QueueResult> EditAsync(string queue, Guid id, Edit edit, CancellationToken cancel) => _transitions.EditAsync(queue, id, edit);

    public ValueTask<QueueResult> DiscardAsync(string queue, Guid id, CancellationToken cancel) => _transitions.DiscardAsync(queue, id);

    public async ValueTask<QueueRead<StoredItem>> GetAsync(string queue, Guid id, CancellationToken cancel)
    {
        var row = await _reads.GetAsync(queue, id);
        return new QueueRead<StoredItem>(row.Value?.Open(_seal), row.Error);
    }

    public async ValueTask<QueueRead<ItemPage>> ListAsync(ListRequest request, CancellationToken cancel)
    {
        var page = await _reads.ListAsync(request);
        return page.Error is null
            ? new QueueRead<ItemPage>(new ItemPage(page.Value.Rows.ConvertAll(row => row.Open(_seal)), page.Value.Next))
            : new QueueRead<ItemPage>(null, page.Error);
    }

    public async ValueTask<QueueRead<IReadOnlyList<QueueCount>>> CountsAsync(string queue, CancellationToken cancel)
    {
        var counts = await _reads.CountsAsync(queue);
        if (counts.Value is { } found)
        {
            var byState = new long[ItemStates.Count];
            foreach (var count in found)
            {
                byState[(int)count.State] += count.Items;
            }

            _metrics.Counted(queue, byState, null);
        }

        return counts;
    }

    public async ValueTask<QueueRead<TimeSpan>> OldestAgeAsync(string queue, CancellationToken cancel)
    {
        var oldest = await _reads.OldestAsync(queue);
        return new QueueRead<TimeSpan>(oldest.Value is { } at ? _time.GetUtcNow() - at : TimeSpan.Zero, oldest.Error);
    }

    public ValueTask<QueueRead<IReadOnlyList<SealKeyUse>>> SealKeysAsync(CancellationToken cancel) => _reads.SealKeysAsync();

    public ValueTask<QueueRead<ItemCheck>> CheckAsync(string? cursor, CancellationToken cancel) => _check.CheckAsync(cursor);

    public async ValueTask<QueueRead<int>> SweepAsync(int max, CancellationToken cancel)
    {
        var swept = await _sweep.SweepAsync(max);
        await _forgotten.FreeAsync();
        return swept.Error is null && !_journal.IsDurable ? swept with { Error = QueueError.NotDurable } : swept;
    }

    public ValueTask WaitForWorkAsync(string queue, ClaimResult last, CancellationToken cancel) =>
        _signals.WaitAsync(queue, last.Version, last.NextDue, cancel);

    public ValueTask DisposeAsync() => _journal.DisposeAsync();

    private Task<bool> WrittenAsync(int shard) => _replicas.WrittenAsync(_calls.Shards[shard % _calls.Shards.Count]);
}
