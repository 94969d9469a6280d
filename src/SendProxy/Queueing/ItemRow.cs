using Microsoft.Data.Sqlite;
using SendProxy.Secrets.Sealing;

namespace SendProxy.Queueing;

/// <summary>An item as it was read: everything but its sealed parts in <see cref="Item"/>, those beside it.</summary>
internal sealed record ItemRow(StoredItem Item, long Seq, long Token, ItemState Waiting, byte[] Metadata)
{
    private const int AnswerColumn = 21;

    private byte[]? Answer { get; init; }

    private byte[]? Body { get; init; }

    /// <summary>Reads the columns of <see cref="ItemSql"/>.</summary>
    /// <param name="reader">On a row.</param>
    /// <param name="book">Names the lot.</param>
    /// <param name="whole">Answer and body were asked for.</param>
    public static ItemRow Read(SqliteDataReader reader, LotBook book, bool whole)
    {
        var lot = book[reader.GetInt64(2)];
        var item = new StoredItem
        {
            Id = new Guid(reader.GetFieldValue<byte[]>(1), bigEndian: true),
            Queue = lot.Queue,
            Route = lot.Route,
            Group = lot.Group,
            SchemaVersion = reader.GetInt32(3),
            State = ((ItemState)reader.GetInt32(4)).Seen(book.IsHeld(lot)),
            Lane = reader.GetInt32(5),
            Attempts = reader.GetInt32(7),
            Attempting = reader.GetInt64(8) != 0,
            Created = Time(reader, 9)!.Value,
            Due = Time(reader, 10)!.Value,
            Deadline = Time(reader, 11),
            Expires = Time(reader, 12),
            Finished = Time(reader, 13),
            OrderKey = Text(reader, 14),
            IdempotencyKey = Text(reader, 15),
            KeyFingerprint = Text(reader, 16),
            Reason = Text(reader, 17),
            Answer = reader.IsDBNull(18) ? null : new Answer(reader.GetInt32(18), default),
        };
        return new ItemRow(
            item, reader.GetInt64(0), reader.GetInt64(6), (ItemState)reader.GetInt32(20),
            reader.GetFieldValue<byte[]>(19))
        {
            Answer = whole && !reader.IsDBNull(AnswerColumn) ? reader.GetFieldValue<byte[]>(AnswerColumn) : null,
            Body = whole ? reader.GetFieldValue<byte[]>(AnswerColumn + 1) : null,
        };
    }

    /// <summary>The item with what opens of its sealed parts; null stands for what does not.</summary>
    public StoredItem Open(ItemSeal seal) => Item with
    {
        Metadata = Open(seal, Metadata, SealPart.Metadata),
        Body = Open(seal, Body, SealPart.Body),
        Answer = Item.Answer is { } answer
            ? answer with { Body = Open(seal, Answer, SealPart.Answer).GetValueOrDefault() }
            : null,
    };

    // Not by ?: - its null would become an empty memory, by the conversion from a null array.
    private ReadOnlyMemory<byte>? Open(ItemSeal seal, byte[]? stored, SealPart part)
    {
        var context = new SealContext(Item.Queue, Item.Id, Item.Route, part);
        if (stored is not null && seal.TryOpen(stored, context, out var plain))
        {
            return plain;
        }

        return null;
    }

    private static string? Text(SqliteDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetString(column);

    private static DateTimeOffset? Time(SqliteDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(column));
}
