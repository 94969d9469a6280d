using Microsoft.Data.Sqlite;
using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;

namespace SendProxy.Queueing.Sqlite;

/// <summary>What one step of the check read.</summary>
/// <param name="Rows">Items that could be read, still sealed.</param>
/// <param name="Lost">Places of items that the index has and the table has not, or that cannot be read.</param>
/// <param name="Next">Where the next step begins; null at the end.</param>
internal sealed record CheckedRows(List<ItemRow> Rows, List<(long Seq, Guid? Id)> Lost, string? Next);

/// <summary>
/// Reads what is stored, a bounded piece at a time, so that no commit waits long for it. It goes by the index of seal keys, which
/// has an entry for each item that may still be needed: so an item that vanished from the table is missed too.
/// </summary>
internal sealed class SqliteItemCheck(QueuePartitions partitions, ItemSeal seal, ILogger logger)
{
    private const int MaxRows = 64;
    private const long MaxBytes = 1 << 20;

    /// <param name="cursor">Null to begin; then what the step before gave.</param>
    public CheckedRows Read(SqliteSession session, string? cursor)
    {
        var (key, after) = Parse(cursor);
        var found = new CheckedRows([], [], null);
        if (KeyFrom(session, key) is not { } current)
        {
            return found;
        }

        after = current.AsSpan().SequenceEqual(key) ? after : 0;
        var places = Places(session, current, after);
        var bytes = 0L;
        foreach (var seq in places)
        {
            after = seq;
            if (Row(session, seq) is { } row)
            {
                found.Rows.Add(row);
                bytes += row.SealedBytes;
            }
            else
            {
                found.Lost.Add((seq, IdAt(session, seq)));
            }

            if (bytes >= MaxBytes)
            {
                break;
            }
        }

        // Behind the last item of a key comes the next key.
        return found with { Next = places.Count == 0 ? After(current) : $"{Convert.ToHexStringLower(current)}:{after}" };
    }

    /// <summary>Opens what was read, on the caller's thread, and tells what is not whole.</summary>
    public ItemCheck Judge(CheckedRows found)
    {
        var damaged = found.Rows.FindAll(IsDamaged);
        damaged.ForEach(row => QueueLog.Damaged(logger, row.Item.Queue, row.Item.Id, row.Item.Route, row.Item.Created));
        found.Lost.ForEach(lost => QueueLog.Lost(logger, lost.Seq, lost.Id));
        return new ItemCheck(found.Rows.Count + found.Lost.Count, damaged.Count, found.Lost.Count, found.Next);
    }

    // What no configured key was made for may be whole.
    private bool IsDamaged(ItemRow row) =>
        seal.Keys.Find(row.SealKey) is not null && (row.Open(seal) is { Metadata: null } or { Body: null });

    private static byte[]? KeyFrom(SqliteSession session, byte[] key)
    {
        using var rows = session.Query(SealKeySql.KeyFrom, key);
        return rows.Read() ? rows.Bytes(0) : null;
    }

    private static List<long> Places(SqliteSession session, byte[] key, long after)
    {
        var places = new List<long>();
        using var rows = session.Query(SealKeySql.OfKey, key, after, MaxRows);
        while (rows.Read())
        {
            places.Add(rows.Number(0));
        }

        return places;
    }

    private ItemRow? Row(SqliteSession session, long seq)
    {
        try
        {
            using var row = session.Query(ItemSql.AtPlace, seq);
            return row.Read() ? ItemRow.Read(row, partitions, whole: true) : null;
        }
        catch (SqliteException e) when (e.SqliteErrorCode == SqliteFaults.Corrupt)
        {
            return null;
        }
    }

    private static Guid? IdAt(SqliteSession session, long seq)
    {
        try
        {
            using var row = session.Query(SealKeySql.IdAt, seq);
            return row.Read() ? new Guid(row.Bytes(0), bigEndian: true) : null;
        }
        catch (SqliteException e) when (e.SqliteErrorCode == SqliteFaults.Corrupt)
        {
            return null;
        }
    }

    private static string? After(byte[] key)
    {
        var next = (byte[])[.. key, 0]; // The smallest that is larger.
        return $"{Convert.ToHexStringLower(next)}:0";
    }

    private static (byte[] Key, long After) Parse(string? cursor)
    {
        if (cursor is null)
        {
            return ([], 0);
        }

        var colon = cursor.IndexOf(':', StringComparison.Ordinal);
        return (Convert.FromHexString(cursor.AsSpan(0, colon)), long.Parse(cursor.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture));
    }
}
