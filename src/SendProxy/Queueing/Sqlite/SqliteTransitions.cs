using SendProxy.Queueing.Sealed;
using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;

namespace SendProxy.Queueing.Sqlite;

/// <summary>Moves an item from state to state. On the journal's thread; each method is one work item.</summary>
internal sealed class SqliteTransitions(QueuePartitions partitions, SqliteInserts inserts, ItemSeal seal)
{
    public static QueueResult Mark(SqliteSession session, Lease lease, AttemptMark mark)
    {
        var changed = session.Execute(
            ItemSql.Mark, lease.Queue, lease.Id.ToByteArray(bigEndian: true), lease.Token, mark.KeyFingerprint,
            mark.Deadline?.ToUnixTimeMilliseconds());
        return changed == 1 ? QueueVerdict.Done : QueueVerdict.Stale;
    }

    public QueueResult Finish(SqliteSession session, Lease lease, Finish finish, List<SealedItem> next, long now)
    {
        if (Held(session, lease) is not { } head)
        {
            return QueueVerdict.Stale;
        }

        if (next.Count == 0)
        {
            End(session, lease, head, finish, now);
            return QueueVerdict.Done;
        }

        // Ended first: what follows may take its place.
        var ended = session.TryPart(() =>
        {
            End(session, lease, head, finish, now);
            return inserts.TryEnqueueAll(session, next, now);
        });
        return ended ? QueueVerdict.Done : new QueueResult(QueueVerdict.Full, SqliteInserts.FullRetryAfter);
    }

    public QueueResult Retry(SqliteSession session, Lease lease, Retry retry)
    {
        if (Held(session, lease) is not { } head)
        {
            return QueueVerdict.Stale;
        }

        var ready = session.Number(
            ItemSql.Retry, head.Seq, retry.Due.ToUnixTimeMilliseconds(), retry.Reason, retry.AttemptsMade,
            retry.KeepAttempting ? 1 : 0, retry.LetOthersPass ? 1 : 0, retry.Response?.Status,
            Seal(session, lease, head.Partition, retry.Response)) == 1;
        Left(session, head, ItemState.Retrying, ready);
        Unblock(session, head);
        return QueueVerdict.Done;
    }

    public QueueResult GiveBack(SqliteSession session, Lease lease)
    {
        if (Held(session, lease) is not { } head)
        {
            return QueueVerdict.Stale;
        }

        long ready, state;
        using (var row = session.Query(ItemSql.GiveBack, head.Seq))
        {
            row.Read();
            (ready, state) = (row.Number(0), row.Number(1));
        }

        Left(session, head, (ItemState)state, ready == 1);
        return QueueVerdict.Done;
    }

    /// <summary>Holds a leased item that does not open.</summary>
    public QueueResult HoldUnopenable(SqliteSession session, Lease lease, string reason)
    {
        if (Held(session, lease) is not { } head)
        {
            return QueueVerdict.Stale;
        }

        session.Execute(ItemSql.HoldUnopenable, head.Seq, reason);
        Left(session, head, ItemState.Held, ready: false);
        Unblock(session, head);
        return QueueVerdict.Done;
    }

    public QueueResult Replay(SqliteSession session, string queue, Guid id, Replay replay, long now)
    {
        if (ItemHead.Find(session, partitions, queue, id) is not { } head)
        {
            return QueueVerdict.NotFound;
        }

        var may = head.State is ItemState.Dead or ItemState.Expired
            || (head.State == ItemState.Unknown && replay.MaySendTwice);
        if (!may || (head.IsAttempting && !replay.MaySendTwice))
        {
            return QueueResult.Refused(head.SeenState(partitions));
        }

        session.Execute(ItemSql.Replay, head.Seq, now);
        partitions.Move(session, head.Partition, head.State, ItemState.Queued, head.Lane, 1);
        return QueueVerdict.Done;
    }

    public QueueResult Edit(SqliteSession session, string queue, Guid id, Edit edit)
    {
        if (ItemHead.Find(session, partitions, queue, id) is not { } head)
        {
            return QueueVerdict.NotFound;
        }

        if (head.IsAttempting || !(head.State.IsWaiting() || head.State == ItemState.Dead))
        {
            return QueueResult.Refused(head.SeenState(partitions));
        }

        session.AddUsedBytes(edit.Body.Length);
        session.Execute(
            ItemSql.Edit, head.Seq,
            seal.Seal(edit.Metadata.Span, new SealContext(queue, id, head.Partition.Route, SealPart.Metadata)),
            seal.Seal(edit.Body.Span, new SealContext(queue, id, head.Partition.Route, SealPart.Body)),
            edit.IdempotencyKey);
        return QueueVerdict.Done;
    }

    public QueueResult Discard(SqliteSession session, string queue, Guid id, long now)
    {
        if (ItemHead.Find(session, partitions, queue, id) is not { } head)
        {
            return QueueVerdict.NotFound;
        }

        var may = (head.State.IsWaiting() && !head.IsAttempting)
            || head.State is ItemState.Held or ItemState.Dead or ItemState.Unknown or ItemState.Expired;
        if (!may)
        {
            return QueueResult.Refused(head.SeenState(partitions));
        }

        session.Execute(ItemSql.Discard, head.Seq, now);
        partitions.Move(session, head.Partition, head.State, ItemState.Discarded, head.Lane, head.IsReady ? -1 : 0);
        Unblock(session, head);
        return QueueVerdict.Done;
    }

    private void End(SqliteSession session, Lease lease, ItemHead head, Finish finish, long now)
    {
        session.Execute(
            ItemSql.Finish, head.Seq, (int)finish.State, now, finish.Reason, finish.AttemptsMade,
            finish.Response?.Status, Seal(session, lease, head.Partition, finish.Response));
        Left(session, head, finish.State, ready: false);
        Unblock(session, head);
    }

    /// <returns>Null when this lease is not, or no longer, the item's.</returns>
    private ItemHead? Held(SqliteSession session, Lease lease) =>
        ItemHead.Find(session, partitions, lease.Queue, lease.Id) is { State: ItemState.Leased } head
        && head.Token == lease.Token
            ? head
            : null;

    // Another of its order key may have waited only for this one not to be in flight: that makes nothing ready, yet
    // wakes.
    private void Left(SqliteSession session, ItemHead head, ItemState to, bool ready)
    {
        partitions.Move(session, head.Partition, ItemState.Leased, to, head.Lane, ready ? 1 : 0);
        if (head.OrderKey is not null)
        {
            partitions.Touch(session, head.Partition.Queue, wake: true);
        }
    }

    private void Unblock(SqliteSession session, ItemHead head)
    {
        if (head.OrderKey is not null
            && session.Number(ItemSql.UnblockFirst, head.Partition.Number, head.OrderKey) is long lane)
        {
            partitions.Unblocked(session, head.Partition, (int)lane);
        }
    }

    private byte[]? Seal(SqliteSession session, Lease lease, QueuePartition partition, ItemResponse? response)
    {
        if (response is null)
        {
            return null;
        }

        session.AddUsedBytes(response.Body.Length);
        return seal.Seal(response.Body.Span, new SealContext(lease.Queue, lease.Id, partition.Route, SealPart.Response));
    }
}
