using SendProxy.Sqlite;

namespace SendProxy.Queueing.Sqlite;

/// <summary>Removes what is finished. On the journal's thread, a few at a time.</summary>
internal sealed class SqliteSweep(QueuePartitions partitions, DedupeIndex dedupe, JournalOptions options)
{
    /// <summary>Nobody does anything with them any more; the first state is given up first.</summary>
    public static readonly ItemState[] Settled = [ItemState.Done, ItemState.Discarded, ItemState.Expired];
    private static readonly ItemState[] Unsettled = [ItemState.Dead, ItemState.Unknown];

    /// <returns>
    /// How many items and dedupe keys were removed: fewer than <paramref name="max"/> when nothing is left.
    /// </returns>
    public int Sweep(SqliteSession session, DateTimeOffset now, int max)
    {
        var removed = Sweep(session, Settled, now - options.Retention, max);
        removed += Sweep(session, Unsettled, now - options.DeadRetention, max - removed);
        removed += dedupe.Sweep(session, now.ToUnixTimeMilliseconds(), max - removed);
        foreach (var partition in partitions.All.Where(partition => partition.IsEmpty).ToArray())
        {
            partitions.Remove(session, partition);
        }

        return removed;
    }

    /// <summary>
    /// Removes one settled item before its time. False when there is none: the others are still needed.
    /// </summary>
    public bool EvictOldest(SqliteSession session)
    {
        foreach (var state in Settled)
        {
            if (Remove(session, state, long.MaxValue, 1) > 0)
            {
                return true;
            }
        }

        return false;
    }

    private int Sweep(SqliteSession session, ItemState[] states, DateTimeOffset until, int max)
    {
        var removed = 0;
        foreach (var state in states)
        {
            removed += Remove(session, state, until.ToUnixTimeMilliseconds(), max - removed);
        }

        return removed;
    }

    private int Remove(SqliteSession session, ItemState state, long until, int max)
    {
        var rows = new List<(long Seq, long QueuePartition, int Lane)>();
        using (var oldest = session.Query(ItemSql.OldestFinished, (int)state, until, max))
        {
            while (oldest.Read())
            {
                rows.Add((oldest.Number(0), oldest.Number(1), oldest.Int(2)));
            }
        }

        foreach (var (seq, partition, lane) in rows)
        {
            session.Execute(ItemSql.Delete, seq);
            partitions.Move(session, partitions[partition], state, null, lane, 0);
        }

        session.ForgetUsedBytes();
        return rows.Count;
    }
}
