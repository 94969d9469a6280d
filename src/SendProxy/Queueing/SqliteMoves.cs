using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;

namespace SendProxy.Queueing;

/// <summary>Moves an item from state to state. On the journal's thread; each method is one work item.</summary>
internal sealed class SqliteMoves(LotBook book, SqliteInserts inserts, ItemSeal seal)
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

        if (!inserts.TryEnqueueAll(session, next, now))
        {
            return new QueueResult(QueueVerdict.Full, SqliteInserts.FullRetryAfter);
        }

        session.Execute(
            ItemSql.Finish, head.Seq, (int)finish.State, now, finish.Reason, finish.AttemptsMade,
            finish.Answer?.Status, Seal(session, lease, head.Lot, finish.Answer));
        Left(session, head, finish.State, ready: false);
        Unblock(session, head);
        return QueueVerdict.Done;
    }

    public QueueResult Retry(SqliteSession session, Lease lease, Retry retry)
    {
        if (Held(session, lease) is not { } head)
        {
            return QueueVerdict.Stale;
        }

        var ready = session.Number(
            ItemSql.Retry, head.Seq, retry.Due.ToUnixTimeMilliseconds(), retry.Reason, retry.AttemptsMade,
            retry.KeepAttempting ? 1 : 0, retry.LetOthersPass ? 1 : 0, retry.Answer?.Status,
            Seal(session, lease, head.Lot, retry.Answer)) == 1;
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
        if (ItemHead.Find(session, book, queue, id) is not { } head)
        {
            return QueueVerdict.NotFound;
        }

        var may = head.State is ItemState.Dead or ItemState.Expired
            || (head.State == ItemState.Unknown && replay.MaySendTwice);
        if (!may || (head.IsAttempting && !replay.MaySendTwice))
        {
            return QueueResult.Refused(head.SeenState(book));
        }

        session.Execute(ItemSql.Replay, head.Seq, now);
        book.Move(session, head.Lot, head.State, ItemState.Queued, head.Lane, 1);
        return QueueVerdict.Done;
    }

    public QueueResult Edit(SqliteSession session, string queue, Guid id, Edit edit)
    {
        if (ItemHead.Find(session, book, queue, id) is not { } head)
        {
            return QueueVerdict.NotFound;
        }

        if (head.IsAttempting || !(head.State.IsWaiting() || head.State == ItemState.Dead))
        {
            return QueueResult.Refused(head.SeenState(book));
        }

        session.AddUsedBytes(edit.Body.Length);
        session.Execute(
            ItemSql.Edit, head.Seq,
            seal.Seal(edit.Metadata.Span, new SealContext(queue, id, head.Lot.Route, SealPart.Metadata)),
            seal.Seal(edit.Body.Span, new SealContext(queue, id, head.Lot.Route, SealPart.Body)),
            edit.IdempotencyKey);
        return QueueVerdict.Done;
    }

    public QueueResult Discard(SqliteSession session, string queue, Guid id, long now)
    {
        if (ItemHead.Find(session, book, queue, id) is not { } head)
        {
            return QueueVerdict.NotFound;
        }

        var may = (head.State.IsWaiting() && !head.IsAttempting)
            || head.State is ItemState.Held or ItemState.Dead or ItemState.Unknown or ItemState.Expired;
        if (!may)
        {
            return QueueResult.Refused(head.SeenState(book));
        }

        session.Execute(ItemSql.Discard, head.Seq, now);
        book.Move(session, head.Lot, head.State, ItemState.Discarded, head.Lane, head.IsReady ? -1 : 0);
        Unblock(session, head);
        return QueueVerdict.Done;
    }

    /// <returns>Null when this lease is not, or no longer, the item's.</returns>
    private ItemHead? Held(SqliteSession session, Lease lease) =>
        ItemHead.Find(session, book, lease.Queue, lease.Id) is { State: ItemState.Leased } head
        && head.Token == lease.Token
            ? head
            : null;

    // Another of its order key may have waited only for this one not to be in flight: that makes nothing ready, yet
    // wakes.
    private void Left(SqliteSession session, ItemHead head, ItemState to, bool ready)
    {
        book.Move(session, head.Lot, ItemState.Leased, to, head.Lane, ready ? 1 : 0);
        if (head.OrderKey is not null)
        {
            book.Touch(session, head.Lot.Queue, wake: true);
        }
    }

    private void Unblock(SqliteSession session, ItemHead head)
    {
        if (head.OrderKey is not null
            && session.Number(ItemSql.UnblockFirst, head.Lot.Number, head.OrderKey) is long lane)
        {
            book.Unblocked(session, head.Lot, (int)lane);
        }
    }

    private byte[]? Seal(SqliteSession session, Lease lease, Lot lot, Answer? answer)
    {
        if (answer is null)
        {
            return null;
        }

        session.AddUsedBytes(answer.Body.Length);
        return seal.Seal(answer.Body.Span, new SealContext(lease.Queue, lease.Id, lot.Route, SealPart.Answer));
    }
}
