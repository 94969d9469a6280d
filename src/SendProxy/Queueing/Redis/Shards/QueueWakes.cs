using System.Collections.Concurrent;
using System.Globalization;
using StackExchange.Redis;

namespace SendProxy.Queueing.Redis.Shards;

/// <summary>
/// Wakes this process' waiters for what other processes did: by published messages, and, should one be lost, by the numbers of
/// wakes that the shards keep. Redis publishes only for queues that somebody waits for.
/// </summary>
internal sealed class QueueWakes(QueueSignals signals, string instance)
{
    private readonly ConcurrentDictionary<(int Shard, string Queue), long> _seen = new();

    public static string Channel(string prefix) => $"{prefix}:q:wake";

    /// <summary>A message: SHARD:INSTANCE:QUEUE. This process' own changes woke its waiters with their answers.</summary>
    public void Published(RedisValue message)
    {
        if (((string?)message ?? "").Split(':', 3) is [var number, var who, var queue]
            && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var shard))
        {
            _seen.AddOrUpdate((shard, queue), 1, (_, seen) => seen + 1);
            if (who != instance)
            {
                signals.Raise(queue);
            }
        }
    }

    /// <summary>Numbers that a shard told: { queue, number, and so on }.</summary>
    public void Saw(QueueShard shard, RedisResult[] numbers)
    {
        for (var i = 0; i + 1 < numbers.Length; i += 2)
        {
            var (queue, number) = ((string)numbers[i]!, (long)numbers[i + 1]);
            var before = _seen.GetValueOrDefault((shard.Number, queue), -1);
            if (before != number)
            {
                _seen[(shard.Number, queue)] = number;
                signals.Raise(queue);
            }
        }
    }

    /// <summary>Messages may have been lost: everybody looks.</summary>
    public void WakeAll()
    {
        foreach (var queue in _seen.Keys.Select(key => key.Queue).Concat(signals.Names).Distinct(StringComparer.Ordinal))
        {
            signals.Raise(queue);
        }
    }
}
