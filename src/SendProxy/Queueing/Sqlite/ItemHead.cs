using SendProxy.Sqlite;

namespace SendProxy.Queueing.Sqlite;

/// <summary>What decides whether an item may be moved.</summary>
internal sealed record ItemHead(
    long Seq, QueuePartition Partition, ItemState State, bool IsReady, int Lane, long Token, string? OrderKey, bool IsAttempting)
{
    /// <returns>Null when there is no such item.</returns>
    public static ItemHead? Find(SqliteSession session, QueuePartitions partitions, string queue, Guid id)
    {
        using var row = session.Query(ItemSql.Head, queue, id.ToByteArray(bigEndian: true));
        return row.Read()
            ? new ItemHead(
                row.Number(0), partitions[row.Number(1)], (ItemState)row.Int(2), row.Int(3) == 1,
                row.Int(4), row.Number(5), row.TextOrNull(6), row.Number(7) != 0)
            : null;
    }

    public ItemState SeenState(QueuePartitions partitions) => State.Seen(partitions.IsHeld(Partition));
}
