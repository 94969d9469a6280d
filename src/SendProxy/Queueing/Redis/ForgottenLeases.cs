using SendProxy.Queueing.Redis.Shards;
using StackExchange.Redis;

namespace SendProxy.Queueing.Redis;

/// <summary>
/// Frees items that Redis takes for leased by this process, which knows nothing of them: a failover lost the end of the lease. Since
/// a lease lives as long as its process, nobody else would.
/// </summary>
internal sealed class ForgottenLeases(QueueCalls calls, RedisSweep sweep, RedisTransitions transitions, RedisQueueMetrics metrics, ILogger logger)
{
    // Longer than the answer of a claim can be under way.
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(10);

    public async Task FreeAsync()
    {
        foreach (var shard in sweep.Owners.Contains(calls.Instance) ? calls.Shards : [])
        {
            var age = (long)(Slack + calls.Link.Options.CallTimeout).TotalMilliseconds;
            var listed = await calls.RunOnceAsync(calls.Scripts.Forgotten, shard, age, "0");
            if (listed.Error is not null)
            {
                return;
            }

            List<RedisValue> unknown = [];
            foreach (var lease in listed.List(0).Chunk(3))
            {
                if (!transitions.Knows(new Lease((string)lease[0]!, ItemReply.Id(lease[1]), ShardLease.Pack((long)lease[2], shard.Number))))
                {
                    unknown.AddRange([(string)lease[0]!, (byte[])lease[1]!, (string)lease[2]!]);
                }
            }

            if (unknown.Count > 0)
            {
                var freed = await calls.RunAsync(calls.Scripts.Forgotten, shard, [age, unknown.Count / 3, .. unknown]);
                if (freed.Error is null)
                {
                    metrics.Freed(freed.Number(1));
                    RedisQueueLog.Forgotten(logger, freed.Number(1));
                }
            }
        }
    }
}
