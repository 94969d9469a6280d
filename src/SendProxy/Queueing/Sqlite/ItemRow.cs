using SendProxy.Queueing.Sealed;
using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;

namespace SendProxy.Queueing.Sqlite;

/// <summary>An item as it was read: everything but its sealed parts in <see cref="Item"/>, those beside it.</summary>
internal sealed record ItemRow(StoredItem Item, long Seq, long Token, ItemState Waiting, byte[] Metadata)
{
    private const int ResponseColumn = 21;

    /// <summary>The key that it was sealed with.</summary>
    public SealKeyId SealKey => ItemSeal.KeyOf(Metadata);

    /// <summary>About how much of it was read.</summary>
    public long SealedBytes => Metadata.Length + (Response?.Length ?? 0) + (Body?.Length ?? 0);

    private byte[]? Response { get; init; }

    private byte[]? Body { get; init; }

    /// <summary>Reads the columns of <see cref="ItemSql"/>.</summary>
    /// <param name="reader">On a row.</param>
    /// <param name="partitions">Names the partition.</param>
    /// <param name="whole">Response and body were asked for.</param>
    public static ItemRow Read(SqliteRows reader, QueuePartitions partitions, bool whole)
    {
        var partition = partitions[reader.Number(2)];
        var item = new StoredItem
        {
            Id = new Guid(reader.Bytes(1), bigEndian: true),
            Queue = partition.Queue,
            Route = partition.Route,
            Group = partition.Group,
            SchemaVersion = reader.Int(3),
            State = ((ItemState)reader.Int(4)).Seen(partitions.IsHeld(partition)),
            Lane = reader.Int(5),
            Attempts = reader.Int(7),
            Attempting = reader.Number(8) != 0,
            Created = Time(reader, 9)!.Value,
            Due = Time(reader, 10)!.Value,
            Deadline = Time(reader, 11),
            Expires = Time(reader, 12),
            Finished = Time(reader, 13),
            OrderKey = reader.TextOrNull(14),
            IdempotencyKey = reader.TextOrNull(15),
            KeyFingerprint = reader.TextOrNull(16),
            Reason = reader.TextOrNull(17),
            Response = reader.IsNull(18) ? null : new ItemResponse(reader.Int(18), default),
        };
        return new ItemRow(
            item, reader.Number(0), reader.Number(6), (ItemState)reader.Int(20),
            reader.Bytes(19))
        {
            Response = whole ? reader.BytesOrNull(ResponseColumn) : null,
            Body = whole ? reader.Bytes(ResponseColumn + 1) : null,
        };
    }

    /// <summary>The item with what opens of its sealed parts; null stands for what does not.</summary>
    public StoredItem Open(ItemSeal seal) => new SealedRow(Item, Token, Metadata, Body, Response).Open(seal);

    private static DateTimeOffset? Time(SqliteRows reader, int column) =>
        reader.NumberOrNull(column) is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;
}
