using SendProxy.Queueing.Sealed;
using SendProxy.Sqlite;

namespace SendProxy.Queueing.Sqlite;

/// <summary>Stores new items inside the journal's bounds. On the journal's thread.</summary>
internal sealed class SqliteInserts(QueuePartitions partitions, DedupeIndex dedupe, SqliteSweep sweep, JournalOptions options)
{
    // How soon room may be there is not known: it is made by workers and by retention. 5 s keeps callers from
    // hammering.
    public static readonly TimeSpan FullRetryAfter = TimeSpan.FromSeconds(5);

    // A row's other columns and its entries in five indexes, measured at about 400 bytes; rounded up.
    private const int RowBytes = 512;

    // A tenth is kept for what follows from stored items: an event that cannot become its deliveries is never delivered. The last
    // bytes are for responses, retries and indexes, so that what is inside can be finished.
    private readonly Bounds _ofNew = new(options.MaxItems - (options.MaxItems / 10), options.MaxBytes / 10 * 9);
    private readonly Bounds _ofFollowing = new(options.MaxItems, options.MaxBytes / 100 * 97);
    private volatile Refusal? _refusal;

    /// <summary>About how much an item takes in the file.</summary>
    public static int BytesOf(SealedItem item) => RowBytes + item.SealedBytes;

    /// <summary>The bound that refuses new items now; null while there is room. Any thread may ask.</summary>
    public QueueBound? BoundReached => _refusal?.Bound;

    public EnqueueResult Enqueue(SqliteSession session, SealedItem item, long now)
    {
        var seen = Seen(session, item);
        if (seen is { } earlier && earlier.Until > now)
        {
            return EnqueueResult.Duplicate(earlier.Item);
        }

        var hasRoom = MakeRoom(session, _ofNew, 1, BytesOf(item));
        _refusal = hasRoom ? null : new Refusal(TooMany(_ofNew, 1) ? QueueBound.MaxItems : QueueBound.MaxBytes, BytesOf(item));
        return hasRoom && TryInsert(session, item, seen, now) ? EnqueueResult.Stored(item.Id) with { Lease = LeaseOf(item) }
            : hasRoom || Exists(session, item) ? EnqueueResult.Duplicate(item.Id)
            : EnqueueResult.Full(FullRetryAfter);
    }

    /// <summary>Looks whether what was refused last would be taken now.</summary>
    public void LookForRoom(SqliteSession session)
    {
        if (_refusal is { } refusal && !TooMany(_ofNew, 1) && (session.UsedBytes + refusal.Bytes <= _ofNew.Bytes || partitions.SettledItems > 0))
        {
            _refusal = null;
        }
    }

    /// <summary>Stores all that follow and are not there yet, or, when there is no room for them, none.</summary>
    public bool TryEnqueueAll(SqliteSession session, IReadOnlyList<SealedItem> items, long now)
    {
        var fresh = items.Where(item => !(Seen(session, item)?.Until > now) && !Exists(session, item)).ToList();
        if (fresh.Count > 0 && !MakeRoom(session, _ofFollowing, fresh.Count, fresh.Sum(item => (long)BytesOf(item))))
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
    private bool MakeRoom(SqliteSession session, Bounds bounds, int items, long bytes)
    {
        if (session.UsedBytes + bytes > bounds.Bytes)
        {
            session.ForgetUsedBytes();
        }

        while (partitions.TotalItems + items > bounds.Items || session.UsedBytes + bytes > bounds.Bytes)
        {
            // Not to give up some and refuse all the same.
            if (TooMany(bounds, items) || !sweep.EvictOldest(session))
            {
                return false;
            }
        }

        return true;
    }

    // Even without the finished ones.
    private bool TooMany(Bounds bounds, int items) => partitions.TotalItems - partitions.SettledItems + items > bounds.Items;

    private static Lease? LeaseOf(SealedItem item) => item.Item.LeaseFor is null ? null : new Lease(item.Item.Queue, item.Id, 1);

    /// <returns>False where the queue has an item of this id.</returns>
    private bool TryInsert(SqliteSession session, SealedItem sealedItem, DedupeEntry? outlived, long now)
    {
        var item = sealedItem.Item;
        var partition = partitions.Get(session, item.Queue, item.Route, item.Group);
        var leased = item.LeaseFor is not null;
        var ready = !leased && (item.OrderKey is null || session.Number(ItemSql.AnyBefore, partition.Number, item.OrderKey) is null);
        var inserted = session.Execute(
            ItemSql.Insert, item.Queue, sealedItem.Id.ToByteArray(bigEndian: true), partition.Number, item.SchemaVersion,
            ready ? 1 : 0, item.Lane, now, item.Due?.ToUnixTimeMilliseconds() ?? now,
            item.Deadline?.ToUnixTimeMilliseconds(), item.Expires?.ToUnixTimeMilliseconds(), item.OrderKey,
            item.IdempotencyKey, item.KeyFingerprint, sealedItem.Metadata, sealedItem.Body, leased ? 1 : 0);
        if (inserted == 0)
        {
            return false;
        }

        session.AddUsedBytes(BytesOf(sealedItem));
        partitions.Move(session, partition, null, leased ? ItemState.Leased : ItemState.Queued, item.Lane, ready ? 1 : 0);
        if (sealedItem.DedupeHash is not null)
        {
            dedupe.Remember(session, sealedItem, outlived, now);
        }

        return true;
    }

    private readonly record struct Bounds(long Items, long Bytes);

    private sealed record Refusal(QueueBound Bound, long Bytes);
}
