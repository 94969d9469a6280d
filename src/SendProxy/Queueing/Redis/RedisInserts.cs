using SendProxy.Queueing.Redis.Shards;
using SendProxy.Queueing.Sealed;
using StackExchange.Redis;

namespace SendProxy.Queueing.Redis;

/// <summary>Most items of a shard, and most bytes.</summary>
internal readonly record struct ShardBounds(long Items, long Bytes);

/// <summary>Stores new items inside the journal's bounds, each on its shard.</summary>
internal sealed class RedisInserts(QueueCalls calls, JournalOptions options, QueueMetrics metrics)
{
    // How soon room may be there is not known: it is made by workers and by retention. 5 s keeps callers from hammering.
    public static readonly TimeSpan FullRetryAfter = TimeSpan.FromSeconds(5);

    // One operation keeps Redis from others' work for a millisecond or two.
    private const int MostAtOnce = 64;
    private const int BytesAtOnce = 4 << 20;

    private Refusal? _refusal;

    /// <summary>The bound that refuses new items now; null while there is room.</summary>
    public QueueBound? BoundReached => Volatile.Read(ref _refusal)?.Bound;

    /// <summary>A tenth is kept for what follows from stored items: an event that cannot become its deliveries is never delivered.</summary>
    public ShardBounds OfNew => new(Share(options.MaxItems - (options.MaxItems / 10)), Share(options.MaxBytes / 10 * 9));

    /// <summary>The last bytes are for responses and retries, so that what is inside can be finished.</summary>
    public ShardBounds OfFollowing => new(Share(options.MaxItems), Share(options.MaxBytes / 100 * 97));

    public async ValueTask<EnqueueResult[]> EnqueueAsync(IReadOnlyList<SealedItem> items)
    {
        var results = new EnqueueResult[items.Count];
        var byShard = Enumerable.Range(0, items.Count).GroupBy(i => NewItemArguments.ShardOf(items[i], calls.Shards.Count));
        await Task.WhenAll(byShard.Select(places => EnqueueAsync(calls.Shards[places.Key], items, [.. places], results)));
        return results;
    }

    /// <summary>Looks whether what was refused last would be taken now.</summary>
    public void LookForRoom(QueueShard shard)
    {
        var (seen, bounds) = (shard.Summary, OfNew);
        if (Volatile.Read(ref _refusal) is { } refusal && refusal.Shard == shard.Number && seen.Items - seen.Settled < bounds.Items
            && (seen.Bytes + refusal.Bytes <= bounds.Bytes || seen.Settled > 0))
        {
            Volatile.Write(ref _refusal, null);
        }
    }

    /// <summary>Counts names that were forgotten inside their window: { queue, number, and so on }.</summary>
    public void Evicted(RedisResult[] forgotten)
    {
        for (var i = 0; i + 1 < forgotten.Length; i += 2)
        {
            for (var count = (long)forgotten[i + 1]; count > 0; count--)
            {
                metrics.DedupeEvicted((string)forgotten[i]!);
            }
        }
    }

    private async Task EnqueueAsync(QueueShard shard, IReadOnlyList<SealedItem> items, int[] places, EnqueueResult[] results)
    {
        shard.IsTouched = true;
        for (var begin = 0; begin < places.Length;)
        {
            var (end, bytes) = (begin, 0);
            do
            {
                bytes += items[places[end++]].SealedBytes;
            }
            while (end < places.Length && end - begin < MostAtOnce && bytes < BytesAtOnce);

            var batch = places[begin..end];
            var reply = await RunAsync(shard, items, batch);
            for (var i = 0; i < batch.Length; i++)
            {
                results[batch[i]] = reply.Error is { } error
                    ? EnqueueResult.Failed(error)
                    : Result((RedisResult[])reply.List(0)[i]!, items[batch[i]], shard, reply.MayHaveRun);
            }

            begin = end;
        }
    }

    private async ValueTask<QueueReply> RunAsync(QueueShard shard, IReadOnlyList<SealedItem> items, int[] batch)
    {
        var bounds = OfNew;
        List<RedisValue> arguments = [bounds.Items, bounds.Bytes, batch.Length, Guid.NewGuid().ToByteArray()];
        foreach (var place in batch)
        {
            NewItemArguments.AddTo(arguments, items[place]);
        }

        var reply = await calls.RunAsync(calls.Scripts.Enqueue, shard, [.. arguments]);
        if (reply.Error is null)
        {
            Evicted(reply.List(1));
        }

        return reply;
    }

    private EnqueueResult Result(RedisResult[] verdict, SealedItem item, QueueShard shard, bool wasRepeated)
    {
        var id = ItemReply.Id(verdict[1]);
        switch ((string?)verdict[0])
        {
            case "duplicate":
                return wasRepeated && id == item.Id ? EnqueueResult.Stored(id) : EnqueueResult.Duplicate(id);
            case "stored":
                Volatile.Write(ref _refusal, null);
                var token = (long)verdict[2];
                return EnqueueResult.Stored(id) with
                {
                    Lease = item.Item.LeaseFor is null ? null : new Lease(item.Item.Queue, id, ShardLease.Pack(token, shard.Number)),
                };
            case "items":
                Volatile.Write(ref _refusal, new Refusal(shard.Number, QueueBound.MaxItems, NewItemArguments.BytesOf(item)));
                return EnqueueResult.Full(FullRetryAfter);
            default:
                Volatile.Write(ref _refusal, new Refusal(shard.Number, QueueBound.MaxBytes, NewItemArguments.BytesOf(item)));
                return EnqueueResult.Full(FullRetryAfter);
        }
    }

    private long Share(long all) => (all + calls.Shards.Count - 1) / calls.Shards.Count;

    private sealed record Refusal(int Shard, QueueBound Bound, long Bytes);
}
