using Prometheus;
using SendProxy.Queueing.Sealed;
using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;

namespace SendProxy.Queueing.Sqlite;

/// <summary>
/// The queue on the embedded journal: one process, so there are no lease times; what was leased when the process ended
/// is back at the next open. Sealing and opening happen on the caller's thread, everything else on the journal's.
/// </summary>
internal sealed class SqliteMessageQueue : IMessageQueue
{
    // One work item of a sweep: short, so that a commit with it takes no longer than others.
    private const int SweepChunk = 100;
    private readonly SqliteJournal _journal;
    private readonly TimeProvider _time;
    private readonly QueueMetrics _metrics;
    private readonly QueueSignals _signals;
    private readonly ILogger _logger;
    private readonly SealKeys _keys;
    private readonly ItemSeal _seal;
    private readonly QueuePartitions _partitions;
    private readonly DedupeIndex _dedupe;
    private readonly SqliteInserts _inserts;
    private readonly SqliteClaims _claims;
    private readonly SqliteTransitions _transitions;
    private readonly SqliteReads _reads;
    private readonly SqliteSweep _sweep;
    private readonly SqliteItemCheck _check;
    private volatile bool _isClosed;

    private SqliteMessageQueue(
        JournalOptions options, SqliteJournal journal, SealKeys keys, IMetricFactory metrics, TimeProvider time, ILogger logger)
    {
        (_journal, _time, _keys, _seal, _logger) = (journal, time, keys, new ItemSeal(keys), logger);
        _metrics = new QueueMetrics(metrics);
        _signals = new QueueSignals(time);
        _partitions = new QueuePartitions(_metrics, _signals);
        _dedupe = new DedupeIndex(_metrics);
        _sweep = new SqliteSweep(_partitions, _dedupe, options);
        _inserts = new SqliteInserts(_partitions, _dedupe, _sweep, options);
        _claims = new SqliteClaims(_partitions, _signals);
        _transitions = new SqliteTransitions(_partitions, _inserts, _seal);
        _reads = new SqliteReads(_partitions);
        _check = new SqliteItemCheck(_partitions, _seal, logger);
    }

    public Durability Durability => DurabilityOf(_journal);

    public QueueBound? BoundReached => _inserts.BoundReached;

    /// <summary>Seals under the journal's keys.</summary>
    public ItemSeal Sealing => _seal;

    private long Now => _time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>
    /// Reads what the journal holds and puts back what was leased. The journal stays the caller's to dispose.
    /// </summary>
    /// <exception cref="JournalUnavailableException">It keeps less than the minimum, or cannot be read.</exception>
    /// <exception cref="SealKeyUnavailableException">A key is missing or none, or no key opens what is stored.</exception>
    public static async Task<SqliteMessageQueue> OpenAsync(
        JournalOptions options, SqliteJournal journal, IMetricFactory metrics, TimeProvider time, ILogger logger,
        CancellationToken cancel)
    {
        if (options.Unkept(DurabilityOf(journal)) is { } why)
        {
            throw new JournalUnavailableException(options.Path, why);
        }

        var keys = await MissingKeyHolds.LoadKeysAsync(options, journal, cancel);
        var queue = new SqliteMessageQueue(options, journal, keys, metrics, time, logger);
        var loaded = await journal.LoadAsync(queue.Load, cancel);
        if (loaded.Error is JournalError.DiskFull or JournalError.BoundReached)
        {
            QueueLog.WaitsForSpace(logger, options.Path);
        }
        else if (loaded.Error is not null)
        {
            throw new JournalUnavailableException(options.Path, "cannot be recovered; see the disk's errors");
        }

        return queue;
    }

    public async ValueTask<IReadOnlyList<EnqueueResult>> EnqueueAsync(
        IReadOnlyList<NewItem> items, CancellationToken cancel)
    {
        // Its keys are gone.
        if (_isClosed)
        {
            return [.. items.Select(_ => EnqueueResult.Failed(QueueError.StoreClosed))];
        }

        var prepared = Seal(items);
        var bytes = prepared.Sum(SqliteInserts.BytesOf);
        var stored = await _journal.WriteAsync(
            session => prepared.ConvertAll(item => _inserts.Enqueue(session, item, Now)), bytes, cancel);
        return stored.Error is { } error
            ? [.. items.Select(_ => EnqueueResult.Failed(Of(error)))]
            : stored.Value!;
    }

    public async ValueTask<ClaimResult> ClaimAsync(ClaimRequest request, CancellationToken cancel)
    {
        var claimed = await _journal.WriteAsync(session => _claims.Claim(session, request, Now), 0, cancel);
        if (claimed.Value is not { } found)
        {
            // The error may heal without a signal: look again in a second.
            var again = _time.GetUtcNow().AddSeconds(1);
            return new ClaimResult([], again, _signals.Version(request.Queue), Of(claimed.Error!.Value));
        }

        var items = new List<ClaimedItem>(found.Rows.Count);
        foreach (var row in found.Rows)
        {
            var lease = new Lease(request.Queue, row.Item.Id, row.Token);
            var item = row.Open(_seal);
            if (item.Body is not null && item.Metadata is not null)
            {
                items.Add(new ClaimedItem(lease, item));
                continue;
            }

            _metrics.Unopenable(request.Queue);
            QueueLog.Damaged(_logger, request.Queue, row.Item.Id, row.Item.Route, row.Item.Created);
            await ChangeAsync(session => _transitions.HoldUnopenable(session, lease, _seal.Keys.Find(row.SealKey) is null ? UnopenableReason.MissingKey : UnopenableReason.Damaged), 0, CancellationToken.None);
        }

        return new ClaimResult(items, found.NextDue, found.Version);
    }

    public ValueTask<QueueResult> MarkAttemptingAsync(Lease lease, AttemptMark mark, CancellationToken cancel) =>
        ChangeAsync(session => SqliteTransitions.Mark(session, lease, mark), 0, cancel);

    public async ValueTask<QueueResult> FinishAsync(Lease lease, Finish finish, CancellationToken cancel)
    {
        if (finish.State is not (ItemState.Done or ItemState.Dead or ItemState.Unknown or ItemState.Expired))
        {
            throw new ArgumentOutOfRangeException(nameof(finish), finish.State, "Not an end.");
        }

        if (_isClosed)
        {
            return QueueResult.Failed(QueueError.StoreClosed);
        }

        var next = Seal(finish.Next);
        var bytes = next.Sum(SqliteInserts.BytesOf) + (finish.Response?.Body.Length ?? 0);
        return await ChangeAsync(session => _transitions.Finish(session, lease, finish, next, Now), bytes, cancel);
    }

    public ValueTask<QueueResult> RetryAsync(Lease lease, Retry retry, CancellationToken cancel) =>
        ChangeAsync(session => _transitions.Retry(session, lease, retry), retry.Response?.Body.Length ?? 0, cancel);

    public ValueTask<QueueResult> GiveBackAsync(Lease lease, CancellationToken cancel) =>
        ChangeAsync(session => _transitions.GiveBack(session, lease), 0, cancel);

    public ValueTask<QueueResult> HoldAsync(Hold hold, CancellationToken cancel) => ChangeAsync(
        session =>
        {
            _partitions.Set(session, hold with { Since = DateTimeOffset.FromUnixTimeMilliseconds(Now) });
            return QueueVerdict.Done;
        },
        0, cancel);

    public ValueTask<QueueResult> ReleaseAsync(string queue, HoldScope scope, string name, CancellationToken cancel) =>
        ChangeAsync(
            session => _partitions.Clear(session, queue, scope, name) ? QueueVerdict.Done : QueueVerdict.NotFound, 0, cancel);

    public ValueTask<QueueRead<IReadOnlyList<Hold>>> HoldsAsync(string queue, CancellationToken cancel) =>
        ReadAsync<IReadOnlyList<Hold>>(_ => [.. _partitions.Holds.Where(hold => hold.Queue == queue)], cancel);

    public ValueTask<QueueResult> ReplayAsync(string queue, Guid id, Replay replay, CancellationToken cancel) =>
        ChangeAsync(session => _transitions.Replay(session, queue, id, replay, Now), 0, cancel);

    public ValueTask<QueueResult> EditAsync(string queue, Guid id, Edit edit, CancellationToken cancel) =>
        ChangeAsync(session => _transitions.Edit(session, queue, id, edit), edit.Body.Length, cancel);

    public ValueTask<QueueResult> DiscardAsync(string queue, Guid id, CancellationToken cancel) =>
        ChangeAsync(session => _transitions.Discard(session, queue, id, Now), 0, cancel);

    public async ValueTask<QueueRead<StoredItem>> GetAsync(string queue, Guid id, CancellationToken cancel)
    {
        var row = await ReadAsync(session => _reads.Get(session, queue, id), cancel);
        return new QueueRead<StoredItem>(row.Value?.Open(_seal), row.Error);
    }

    public async ValueTask<QueueRead<ItemPage>> ListAsync(ListRequest request, CancellationToken cancel)
    {
        var page = await ReadAsync(session => _reads.List(session, request), cancel);
        return page.Error is null
            ? new QueueRead<ItemPage>(new ItemPage(page.Value.Rows.ConvertAll(row => row.Open(_seal)), page.Value.Next))
            : new QueueRead<ItemPage>(null, page.Error);
    }

    public ValueTask<QueueRead<IReadOnlyList<QueueCount>>> CountsAsync(string queue, CancellationToken cancel) =>
        ReadAsync<IReadOnlyList<QueueCount>>(_ => _reads.Counts(queue), cancel);

    public ValueTask<QueueRead<TimeSpan>> OldestAgeAsync(string queue, CancellationToken cancel) =>
        ReadAsync(session => AgeOfOldest(session, queue), cancel);

    public ValueTask<QueueRead<IReadOnlyList<SealKeyUse>>> SealKeysAsync(CancellationToken cancel) =>
        ReadAsync<IReadOnlyList<SealKeyUse>>(MissingKeyHolds.Count, cancel);

    public async ValueTask<QueueRead<ItemCheck>> CheckAsync(string? cursor, CancellationToken cancel)
    {
        var read = await _journal.ReadAsync(session => _check.Read(session, cursor), cancel);
        return read.Value is { } found ? new QueueRead<ItemCheck>(_check.Judge(found)) : new QueueRead<ItemCheck>(null, Of(read.Error!.Value));
    }

    public async ValueTask<QueueRead<int>> SweepAsync(int max, CancellationToken cancel)
    {
        var removed = 0;
        while (removed < max)
        {
            var chunk = Math.Min(SweepChunk, max - removed);
            var swept = await _journal.WriteAsync(session => Sweep(session, chunk), 0, cancel);
            if (swept.Error is { } error)
            {
                return new QueueRead<int>(removed, Of(error));
            }

            removed += swept.Value;
            if (swept.Value < chunk)
            {
                break;
            }
        }

        return new QueueRead<int>(removed);
    }

    public ValueTask WaitForWorkAsync(string queue, ClaimResult last, CancellationToken cancel) =>
        _signals.WaitAsync(queue, last.Version, last.NextDue, cancel);

    public ValueTask DisposeAsync()
    {
        _isClosed = true;
        _keys.Dispose();
        return ValueTask.CompletedTask;
    }

    private static Durability DurabilityOf(SqliteJournal journal) =>
        journal.IsEphemeral ? Durability.Memory : Durability.Fsync;

    private static QueueError Of(JournalError error) => error switch
    {
        JournalError.DiskFull => QueueError.DiskFull,
        JournalError.BoundReached => QueueError.BoundReached,
        JournalError.Closed => QueueError.StoreClosed,
        _ => QueueError.StoreFailed,
    };

    private List<SealedItem> Seal(IReadOnlyList<NewItem> items) =>
        [.. items.Select(item => SealedItem.Create(item, _seal, _time))];

    private async ValueTask<QueueResult> ChangeAsync(
        Func<SqliteSession, QueueResult> change, int bytes, CancellationToken cancel)
    {
        var changed = await _journal.WriteAsync(change, bytes, cancel);
        return changed.Error is { } error ? QueueResult.Failed(Of(error)) : changed.Value;
    }

    private async ValueTask<QueueRead<T>> ReadAsync<T>(Func<SqliteSession, T?> read, CancellationToken cancel)
    {
        var found = await _journal.ReadAsync(read, cancel);
        return new QueueRead<T>(found.Value, found.Error is { } error ? Of(error) : null);
    }

    private bool Load(SqliteSession session)
    {
        _partitions.Recover(session);
        var counts = new MissingKeyHolds(_keys).Apply(session, _partitions.Queues);
        _partitions.Load(session);
        _dedupe.Load(session);
        session.OnCommitted(() => QueueLog.MissingKeys(_logger, _keys, counts));
        return true;
    }

    private int Sweep(SqliteSession session, int max)
    {
        foreach (var queue in _partitions.Queues)
        {
            _metrics.OldestIs(queue, AgeOfOldest(session, queue));
        }

        var swept = _sweep.Sweep(session, _time.GetUtcNow(), max);
        _inserts.LookForRoom(session);
        return swept;
    }

    private TimeSpan AgeOfOldest(SqliteSession session, string queue) =>
        SqliteReads.Oldest(session, queue) is { } oldest ? _time.GetUtcNow() - oldest : TimeSpan.Zero;
}
