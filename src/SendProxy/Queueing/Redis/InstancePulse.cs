using SendProxy.Queueing.Redis.Shards;
using StackExchange.Redis;

namespace SendProxy.Queueing.Redis;

/// <summary>
/// Tells the others that this process lives, and frees what processes have leased that live no more: those of this place at once,
/// those of others once they were silent for some seconds. Nobody's lease ends while its process lives, however slow its work is.
/// </summary>
internal sealed class InstancePulse(
    QueueCalls calls, InstancePlace place, RedisSweep sweep, QueueWakes wakes, RedisQueueMetrics metrics, ILogger logger)
{
    /// <summary>With the sweeps, which come every five seconds, at most one command a second.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(1250);

    // An interval, and what a busy machine may add to it.
    private const int LongestCountedMs = 1500;
    private const int DeadAfterMs = 3400;
    private const int FreeAtOnce = 200;

    private readonly HashSet<string> _asked = new(StringComparer.Ordinal);

    /// <summary>One pulse, and what follows from it.</summary>
    public async Task<QueueError?> PulseAsync()
    {
        var reply = await PulseAsync(sweep.Owners.FirstOrDefault(owner => owner != calls.Instance && _asked.Add(owner)), null);
        if (reply.Error is { } error)
        {
            return error;
        }

        // A silent one may come back in this moment: what it leases from now on is its own.
        var (all, silent) = (Names(reply.List(0)), Names(reply.List(1)));
        foreach (var name in all.Where(name => name != calls.Instance))
        {
            var isDead = place.IsDead(name);
            if ((isDead || silent.Contains(name)) && await FreeAsync(name, isDead ? "+inf" : reply.Text(2)) is { } failed)
            {
                return failed;
            }
        }

        return null;
    }

    /// <summary>The end in order: what is still leased is free at once.</summary>
    public async Task LeaveAsync()
    {
        await FreeAsync(calls.Instance, "+inf");
        await calls.RunOnceAsync(calls.Scripts.Leave, calls.Shards[0]);
    }

    private async ValueTask<QueueReply> PulseAsync(string? unknown, string? freed)
    {
        var reply = await calls.RunOnceAsync(calls.Scripts.Pulse, calls.Shards[0], LongestCountedMs, DeadAfterMs, unknown ?? "", freed ?? "");
        if (reply.Error is null)
        {
            wakes.Saw(calls.Shards[0], reply.List(3));
        }

        return reply;
    }

    private async Task<QueueError?> FreeAsync(string dead, RedisValue until)
    {
        var freed = 0L;
        foreach (var shard in calls.Shards)
        {
            long left;
            do
            {
                var reply = await calls.RunOnceAsync(calls.Scripts.Reap, shard, dead, until, FreeAtOnce);
                if (reply.Error is { } error)
                {
                    return error;
                }

                freed += reply.Number(0);
                left = reply.Number(1);
            }
            while (left > 0);
        }

        _asked.Remove(dead);
        if (dead != calls.Instance)
        {
            await PulseAsync(null, dead);
            metrics.Freed(freed);
            if (freed > 0)
            {
                RedisQueueLog.Freed(logger, freed, dead);
            }
        }

        return null;
    }

    private static HashSet<string> Names(RedisResult[] names) => [.. names.Select(name => (string)name!)];
}
