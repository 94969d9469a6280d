using System.Globalization;
using SendProxy.Queueing.Sealed;
using StackExchange.Redis;

namespace SendProxy.Queueing.Redis;

/// <summary>Reads an item as the operations tell it: { id, route, group, row, payload, response, '1' where it is held }.</summary>
internal static class ItemReply
{
    // Places in the row; queue.lua names its fields.
    private const int Seq = 0;
    private const int State = 2;
    private const int Lane = 4;
    private const int Token = 5;
    private const int Attempts = 6;
    private const int Attempting = 7;
    private const int Created = 8;
    private const int Due = 9;
    private const int Deadline = 10;
    private const int Expires = 11;
    private const int Finished = 12;
    private const int OrderKey = 13;
    private const int IdempotencyKey = 15;
    private const int KeyFingerprint = 16;
    private const int Version = 17;
    private const int Reason = 18;
    private const int Status = 19;

    public static Guid Id(RedisResult id) => new((byte[])id!, bigEndian: true);

    public static long SeqOf(RedisResult[] item) => (long)((RedisResult[])item[3]!)[Seq];

    /// <param name="queue">Whose it is.</param>
    /// <param name="whole">Its body was asked for too.</param>
    public static SealedRow Read(string queue, RedisResult[] item, bool whole)
    {
        var row = (RedisResult[])item[3]!;
        var (metadata, body) = NewItemArguments.Split((byte[]?)item[4]);
        var isHeld = item.Length > 6 && (string?)item[6] == "1";
        var stored = new StoredItem
        {
            Id = Id(item[0]),
            Queue = queue,
            Route = (string?)item[1] ?? "",
            Group = (string?)item[2] ?? "",
            SchemaVersion = (int)row[Version],
            State = ((ItemState)(int)row[State]).Seen(isHeld),
            Lane = (int)row[Lane],
            Attempts = (int)row[Attempts],
            Attempting = (long)row[Attempting] != 0,
            Created = Time(row[Created])!.Value,
            Due = Time(row[Due])!.Value,
            Deadline = Time(row[Deadline]),
            Expires = Time(row[Expires]),
            Finished = Time(row[Finished]),
            OrderKey = (string?)row[OrderKey],
            IdempotencyKey = (string?)row[IdempotencyKey],
            KeyFingerprint = (string?)row[KeyFingerprint],
            Reason = (string?)row[Reason],
            Response = row[Status].IsNull ? null : new ItemResponse((int)row[Status], default),
        };
        return new SealedRow(stored, (long)row[Token], metadata, whole ? body : null, whole ? (byte[]?)item[5] : null);
    }

    private static DateTimeOffset? Time(RedisResult milliseconds) => milliseconds.IsNull
        ? null
        : DateTimeOffset.FromUnixTimeMilliseconds(long.Parse((string)milliseconds!, CultureInfo.InvariantCulture));
}
