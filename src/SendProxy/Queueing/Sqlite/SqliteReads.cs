using System.Globalization;
using SendProxy.Sqlite;

namespace SendProxy.Queueing.Sqlite;

/// <summary>Looks at items and changes none. On the journal's thread, between two commits.</summary>
internal sealed class SqliteReads(QueuePartitions partitions)
{
    // A page of held items walks those that wait; this many rows and the page ends early, with a cursor to go on.
    private const int ScanRows = 1000;

    public ItemRow? Get(SqliteSession session, string queue, Guid id)
    {
        using var row = session.Query(ItemSql.Get, queue, id.ToByteArray(bigEndian: true));
        return row.Read() ? ItemRow.Read(row, partitions, whole: true) : null;
    }

    /// <returns>Rows in order of arrival, and the cursor of the next page or null.</returns>
    public (List<ItemRow> Rows, string? Next) List(SqliteSession session, ListRequest request)
    {
        var after = long.TryParse(request.Cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
            ? seq
            : 0;
        var scan = request.State is null ? request.Max : Math.Max(request.Max, ScanRows);
        var found = Scan(session, request, after, scan);
        var rows = found
            .Where(row => request.State is null || row.Item.State == request.State)
            .Take(request.Max)
            .ToList();
        var ended = found.Count < scan && (rows.Count < request.Max || rows[^1] == found[^1]);
        var last = rows.Count == request.Max ? rows[^1].Seq : found.Count > 0 ? found[^1].Seq : after;
        return (rows, ended ? null : last.ToString(CultureInfo.InvariantCulture));
    }

    public List<QueueCount> Counts(string queue) =>
    [
        .. from partition in partitions.Of(queue)
           from state in Enum.GetValues<ItemState>()
           where partition.Items[(int)state] > 0
           group partition.Items[(int)state] by (State: state.Seen(partitions.IsHeld(partition)), partition.Route, partition.Group) into same
           select new QueueCount(same.Key.State, same.Key.Route, same.Key.Group, same.Sum()),
    ];

    public static DateTimeOffset? Oldest(SqliteSession session, string queue)
    {
        long? oldest = null;
        foreach (var state in (ReadOnlySpan<ItemState>)[ItemState.Queued, ItemState.Leased, ItemState.Retrying, ItemState.Held])
        {
            if (session.Number(ItemSql.Oldest, queue, (int)state) is long created && !(created >= oldest))
            {
                oldest = created;
            }
        }

        return oldest is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;
    }

    // Held and waiting items are of the same stored states and told apart by their partitions, so both walk those states. Items that do
    // not open have a stored state of their own.
    private List<ItemRow> Scan(SqliteSession session, ListRequest request, long after, int max)
    {
        if (request.State is not { } state)
        {
            return Rows(session.Query(ItemSql.ListAll, request.Queue, after, max));
        }

        if (state != ItemState.Held)
        {
            return Rows(session.Query(ItemSql.List, request.Queue, (int)state, after, max));
        }

        var queued = Rows(session.Query(ItemSql.List, request.Queue, (int)ItemState.Queued, after, max));
        var retrying = Rows(session.Query(ItemSql.List, request.Queue, (int)ItemState.Retrying, after, max));
        var unopenable = Rows(session.Query(ItemSql.List, request.Queue, (int)ItemState.Held, after, max));
        return [.. queued.Concat(retrying).Concat(unopenable).OrderBy(row => row.Seq).Take(max)];
    }

    private List<ItemRow> Rows(SqliteRows reader)
    {
        using var rows = reader;
        var read = new List<ItemRow>();
        while (rows.Read())
        {
            read.Add(ItemRow.Read(rows, partitions, whole: false));
        }

        return read;
    }
}
