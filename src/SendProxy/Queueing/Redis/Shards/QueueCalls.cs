using System.Globalization;
using SendProxy.Redis;
using StackExchange.Redis;

namespace SendProxy.Queueing.Redis.Shards;

/// <summary>
/// Runs operations on the shards. Each call says which data it means; where that is gone, the shard is made anew, the loss is told
/// and counted, and the call goes on. A call that may have run and whose answer was lost is repeated once: operations carry a mark.
/// </summary>
internal sealed class QueueCalls(RedisLink link, string instance, RedisQueueMetrics metrics, QueueSignals signals, TimeProvider time, ILogger logger)
{
    // How long a call whose answer was lost waits for Redis to be back before it is repeated.
    private static readonly TimeSpan RepeatWithin = TimeSpan.FromSeconds(2);

    private long _ahead;
    private TaskCompletionSource _rise = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Set once, as the journal is opened.</summary>
    public IReadOnlyList<QueueShard> Shards { get; private set; } = [];

    public string Instance => instance;

    public RedisLink Link => link;

    public RedisQueueMetrics Metrics => metrics;

    public TimeProvider Time => time;

    public ILogger Logger => logger;

    /// <summary>The operations; those of tests have another clock.</summary>
    public QueueScripts Scripts { get; init; } = new();

    /// <summary>True once it is closed: nothing is asked any more.</summary>
    public bool IsClosed { get; set; }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    public void Use(IReadOnlyList<QueueShard> shards) => Shards = shards;

    /// <summary>Redis is there again.</summary>
    public void Rose() => Interlocked.Exchange(ref _rise, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();

    /// <summary>A time of Redis' by this process' clock.</summary>
    public DateTimeOffset Local(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds - Interlocked.Read(ref _ahead));

    /// <summary>As above; null for none.</summary>
    public DateTimeOffset? Local(string milliseconds) =>
        milliseconds.Length == 0 ? null : Local(long.Parse(milliseconds, CultureInfo.InvariantCulture));

    public async ValueTask<QueueReply> RunAsync(RedisScript script, QueueShard shard, params RedisValue[] own)
    {
        var reply = await RunOnceAsync(script, shard, own);
        if (reply.Error is null || !reply.MayHaveRun)
        {
            return reply;
        }

        if (!link.IsUp)
        {
            await _rise.Task.WaitAsync(RepeatWithin, TimeProvider.System).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        // The first answer may have told of new work.
        var again = await RunOnceAsync(script, shard, own);
        signals.RaiseAll();
        return again with { MayHaveRun = again.Error is not null };
    }

    /// <summary>Not repeated: for an operation that must not run twice, or that comes again by itself.</summary>
    public async ValueTask<QueueReply> RunOnceAsync(RedisScript script, QueueShard shard, params RedisValue[] own)
    {
        if (IsClosed)
        {
            return new QueueReply([], QueueError.StoreClosed);
        }

        for (var attempt = 0; attempt < 2; attempt++)
        {
            if (shard.Epoch is null && await OpenAsync(shard, Shards.Count) is null)
            {
                return new QueueReply([], QueueError.StoreFailed);
            }

            var sent = Now;
            RedisValue[] arguments = [sent, shard.Epoch, instance, .. own];
            var reply = await link.RunAsync(script, shard.Keys, arguments);
            if (reply.Result is not { } result)
            {
                return new QueueReply([], reply.Refusal == "OOM" ? QueueError.DiskFull : QueueError.StoreFailed, reply.MayHaveRun);
            }

            var parts = (RedisResult[])result!;
            if ((string?)parts[0] == "ok")
            {
                Interlocked.Exchange(ref _ahead, (long)parts[1] - sent);
                foreach (var queue in (string[])parts[2]!)
                {
                    signals.Raise(queue);
                }

                return new QueueReply(parts);
            }

            Lost(shard);
        }

        return new QueueReply([], QueueError.StoreFailed);
    }

    /// <summary>Opens a shard, made where it is not there.</summary>
    /// <returns>How many shards the data has; null where Redis did not answer.</returns>
    public async ValueTask<int?> OpenAsync(QueueShard shard, int shards)
    {
        var reply = await link.RunAsync(Scripts.Open, shard.Keys, [shards, Guid.NewGuid().ToString("n")]);
        if (reply.Result is not { } result)
        {
            return null;
        }

        var parts = (RedisResult[])result!;
        shard.Epoch = (string?)parts[0];
        return (int)parts[1];
    }

    private void Lost(QueueShard shard)
    {
        if (Interlocked.Exchange(ref shard.EpochPlace, null) is not null)
        {
            metrics.Lost(RedisLoss.Emptied, shard.Summary.Items - shard.Summary.Settled);
            RedisQueueLog.Emptied(logger, shard.Key, shard.Summary.Items - shard.Summary.Settled);
            shard.Summary = ShardSummary.Empty;
        }
    }
}
