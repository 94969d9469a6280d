using SendProxy.Queueing.Redis.Shards;
using SendProxy.Secrets.Sealing;
using StackExchange.Redis;

namespace SendProxy.Queueing.Redis;

/// <summary>
/// Removes what is finished, some at a time, and looks at the shards while it is there: counts for the gauges, wakes that were
/// missed, owners of leases, places that went back. A shard where nothing can be removed yet is left alone for a while.
/// </summary>
internal sealed class RedisSweep(QueueCalls calls, RedisInserts inserts, QueueWakes wakes, JournalOptions options, SealKeys keys, QueueMetrics metrics)
{
    // One operation: short, so that no other waits long for it.
    private const int SweepChunk = 100;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(40);

    private IReadOnlyList<string> _owners = [];

    /// <summary>Instances that had leases when the shards were last looked at.</summary>
    public IReadOnlyList<string> Owners => Volatile.Read(ref _owners);

    public async ValueTask<QueueRead<int>> SweepAsync(int max)
    {
        var (removed, owners) = (0, new HashSet<string>(StringComparer.Ordinal));
        foreach (var shard in calls.Shards.Where(IsDue))
        {
            while (removed < max)
            {
                var chunk = Math.Min(SweepChunk, max - removed);
                shard.IsTouched = false;
                var reply = await calls.RunAsync(calls.Scripts.Sweep, shard, Arguments(chunk));
                if (reply.Error is { } error)
                {
                    shard.IsTouched = true;
                    return new QueueRead<int>(removed, error);
                }

                Saw(shard, reply, owners);
                removed += (int)reply.Number(0);
                if (reply.Number(0) < chunk)
                {
                    break;
                }
            }
        }

        Volatile.Write(ref _owners, [.. owners]);
        Tell();
        return new QueueRead<int>(removed);
    }

    private bool IsDue(QueueShard shard) => calls.Shards.Count == 1 || shard.IsTouched
        || shard.Summary.NextSweep <= calls.Time.GetUtcNow() || calls.Time.GetUtcNow() - shard.Summary.At >= LookEvery;

    private RedisValue[] Arguments(int max) =>
    [
        (long)options.Retention.TotalMilliseconds, (long)options.DeadRetention.TotalMilliseconds, max, keys.All.Count,
        .. keys.All.Select(key => (RedisValue)key.Id.ToString()),
    ];

    private void Saw(QueueShard shard, QueueReply reply, HashSet<string> owners)
    {
        var queues = reply.List(6).Select(queue => Queue((RedisResult[])queue!)).ToArray();
        var seq = reply.Number(5);
        if (seq < shard.Summary.Seq)
        {
            calls.Metrics.Lost(RedisLoss.RolledBack, 0);
            RedisQueueLog.RolledBack(calls.Logger, shard.Key);
        }

        shard.Summary = new ShardSummary(
            reply.Number(2), reply.Number(3), reply.Number(4), seq, calls.Local(reply.Text(1)), calls.Time.GetUtcNow(), queues);
        inserts.LookForRoom(shard);
        wakes.Saw(shard, reply.List(7));
        owners.UnionWith(reply.List(8).Select(owner => (string)owner!));
    }

    private QueueSummary Queue(RedisResult[] queue) => new(
        (string)queue[0]!, calls.Local((string?)queue[1] ?? ""), (long)queue[2], [.. ((RedisResult[])queue[3]!).Select(count => (long)count)]);

    // Each process tells of the whole journal.
    private void Tell()
    {
        foreach (var queue in calls.Shards.SelectMany(shard => shard.Summary.Queues).GroupBy(queue => queue.Queue, StringComparer.Ordinal))
        {
            var byState = new long[ItemStates.Count];
            foreach (var part in queue)
            {
                for (var state = 0; state < byState.Length; state++)
                {
                    byState[state] += part.ByState[state];
                }
            }

            metrics.Counted(queue.Key, byState, queue.Sum(part => part.Unopenable));
            metrics.OldestIs(queue.Key, queue.Min(part => part.Oldest) is { } oldest ? calls.Time.GetUtcNow() - oldest : TimeSpan.Zero);
        }
    }
}
