using System.Globalization;
using SendProxy.Queueing.Redis.Shards;
using SendProxy.Queueing.Sealed;
using SendProxy.Secrets.Sealing;
using StackExchange.Redis;

namespace SendProxy.Queueing.Redis;

/// <summary>Reads what may still be needed, a bounded piece at a time: whether what the indexes name is there, and opens.</summary>
internal sealed class RedisItemCheck(QueueCalls calls, ItemSeal seal, ILogger logger)
{
    private const int MaxItems = 64;
    private const int MaxBytes = 1 << 20;

    /// <param name="cursor">SHARD:STEP:SEQ; null to begin.</param>
    public async ValueTask<QueueRead<ItemCheck>> CheckAsync(string? cursor)
    {
        var place = cursor?.Split(':') ?? ["0", "0", "0"];
        var number = int.Parse(place[0], CultureInfo.InvariantCulture);
        var reply = await calls.RunAsync(calls.Scripts.Check, calls.Shards[number], place[1], place[2], MaxItems, MaxBytes);
        if (reply.Error is { } error)
        {
            return new QueueRead<ItemCheck>(null, error);
        }

        var rows = reply.List(0).Select(item => (RedisResult[])item!).Select(item => ItemReply.Read((string)item[7]!, item, whole: true)).ToList();
        var damaged = rows.FindAll(IsDamaged);
        damaged.ForEach(row => QueueLog.Damaged(logger, row.Item.Queue, row.Item.Id, row.Item.Route, row.Item.Created));
        var gone = reply.List(1);
        for (var i = 0; i + 1 < gone.Length; i += 2)
        {
            RedisQueueLog.ItemGone(logger, ItemReply.Id(gone[i + 1]), (string)gone[i]!);
        }

        var next = reply.Text(2).Length > 0 ? $"{number}:{reply.Text(2)}:{reply.Text(3)}"
            : number + 1 < calls.Shards.Count ? $"{number + 1}:0:0"
            : null;
        return new QueueRead<ItemCheck>(new ItemCheck(rows.Count + (gone.Length / 2), damaged.Count, gone.Length / 2, next));
    }

    // What no configured key was made for may be whole.
    private bool IsDamaged(SealedRow row) => seal.Keys.Find(row.SealKey) is not null && (row.Open(seal) is { Metadata: null } or { Body: null });
}
