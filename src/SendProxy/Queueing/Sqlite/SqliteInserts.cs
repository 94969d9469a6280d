using SendProxy.Sqlite;

namespace SendProxy.Queueing.Sqlite;

/// <summary>Stores new items inside the journal's bounds. On the journal's thread.</summary>
internal sealed class SqliteInserts(QueuePartitions partitions, DedupeIndex dedupe, SqliteSweep sweep, JournalOptions options)
{
    // How soon room may be there is not known: it is made by workers and by retention. 5 s keeps callers from
    // hammering.
    public static readonly TimeSpan FullRetryAfter = TimeSpan.FromSeconds(5);

    // What is inside must still be able to finish: answers, retries and indexes need pages of their own.
    private readonly long _softBytes = options.MaxBytes / 10 * 9;

    public EnqueueResult Enqueue(SqliteSession session, SealedItem item, long now)
    {
        var seen = Seen(session, item);
        if (seen is { } earlier && earlier.Until > now)
        {
            return EnqueueResult.Duplicate(earlier.Item);
        }

        var hasRoom = MakeRoom(session, 1, item.Bytes);
        return hasRoom && TryInsert(session, item, seen, now) ? EnqueueResult.Stored(item.Id)
            : hasRoom || Exists(session, item) ? EnqueueResult.Duplicate(item.Id)
            : EnqueueResult.Full(FullRetryAfter);
    }

    /// <summary>Stores all that are not there yet, or, when there is no room for them, none.</summary>
    public bool TryEnqueueAll(SqliteSession session, IReadOnlyList<SealedItem> items, long now)
    {
        var fresh = items.Where(item => !(Seen(session, item)?.Until > now) && !Exists(session, item)).ToList();
        if (fresh.Count > 0 && !MakeRoom(session, fresh.Count, fresh.Sum(item => (long)item.Bytes)))
        {
            return false;
        }

        // Looked up again: one may be another's duplicate.
        foreach (var item in fresh)
        {
            var seen = Seen(session, item);
            if (!(seen?.Until > now))
            {
                _ = TryInsert(session, item, seen, now);
            }
        }

        return true;
    }

    /// <returns>Who had the item's name before, though it may be too long ago.</returns>
    private DedupeEntry? Seen(SqliteSession session, SealedItem item) =>
        item.DedupeHash is { } hash ? dedupe.Seen(session, item.Item.Dedupe!, hash) : null;

    private static bool Exists(SqliteSession session, SealedItem item) =>
        session.Number(ItemSql.Exists, item.Item.Queue, item.Id.ToByteArray(bigEndian: true)) is not null;

    /// <summary>Gives up finished items before their time rather than refuse new ones.</summary>
    private bool MakeRoom(SqliteSession session, int items, long bytes)
    {
        if (session.UsedBytes + bytes > _softBytes)
        {
            session.ForgetUsedBytes();
        }

        while (partitions.TotalItems + items > options.MaxItems || session.UsedBytes + bytes > _softBytes)
        {
            // Not to give up some and refuse all the same.
            if (partitions.TotalItems - partitions.SettledItems + items > options.MaxItems || !sweep.EvictOldest(session))
            {
                return false;
            }
        }

        return true;
    }

    /// <returns>False where the queue has an item of this id.</returns>
    private bool TryInsert(SqliteSession session, SealedItem sealedItem, DedupeEntry? outlived, long now)
    {
        var item = sealedItem.Item;
        var partition = partitions.Get(session, item.Queue, item.Route, item.Group);
        var ready = item.OrderKey is null || session.Number(ItemSql.AnyBefore, partition.Number, item.OrderKey) is null;
        var inserted = session.Execute(
            ItemSql.Insert, item.Queue, sealedItem.Id.ToByteArray(bigEndian: true), partition.Number, item.SchemaVersion,
            ready ? 1 : 0, item.Lane, now, item.Due?.ToUnixTimeMilliseconds() ?? now,
            item.Deadline?.ToUnixTimeMilliseconds(), item.Expires?.ToUnixTimeMilliseconds(), item.OrderKey,
            item.IdempotencyKey, item.KeyFingerprint, sealedItem.Metadata, sealedItem.Body);
        if (inserted == 0)
        {
            return false;
        }

        session.AddUsedBytes(sealedItem.Bytes);
        partitions.Move(session, partition, null, ItemState.Queued, item.Lane, ready ? 1 : 0);
        if (sealedItem.DedupeHash is not null)
        {
            dedupe.Remember(session, sealedItem, outlived, now);
        }

        return true;
    }
}
