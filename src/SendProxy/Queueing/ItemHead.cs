using SendProxy.Sqlite;

namespace SendProxy.Queueing;

/// <summary>What decides whether an item may be moved.</summary>
internal sealed record ItemHead(
    long Seq, Lot Lot, ItemState State, bool IsReady, int Lane, long Token, string? OrderKey, bool IsAttempting)
{
    /// <returns>Null when there is no such item.</returns>
    public static ItemHead? Find(SqliteSession session, LotBook book, string queue, Guid id)
    {
        using var row = session.Query(ItemSql.Head, queue, id.ToByteArray(bigEndian: true));
        return row.Read()
            ? new ItemHead(
                row.GetInt64(0), book[row.GetInt64(1)], (ItemState)row.GetInt32(2), row.GetInt32(3) == 1,
                row.GetInt32(4), row.GetInt64(5), row.IsDBNull(6) ? null : row.GetString(6), row.GetInt64(7) != 0)
            : null;
    }

    public ItemState SeenState(LotBook book) => State.Seen(book.IsHeld(Lot));
}
