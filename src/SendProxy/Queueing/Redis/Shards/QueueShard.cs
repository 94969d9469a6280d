using StackExchange.Redis;

namespace SendProxy.Queueing.Redis.Shards;

/// <summary>A part of the queues, in one slot, and what this process knows of it.</summary>
/// <param name="Key">What its keys begin with, and their hash tag.</param>
internal sealed record QueueShard(int Number, string Key)
{
    /// <summary>The place of <see cref="Epoch"/>, to be exchanged.</summary>
    public string? EpochPlace;

    private volatile bool _isTouched = true;

    public RedisKey[] Keys { get; } = [Key];

    /// <summary>Names the data: what was stored under another epoch is gone. Null: not opened yet.</summary>
    public string? Epoch
    {
        get => Volatile.Read(ref EpochPlace);
        set => Volatile.Write(ref EpochPlace, value);
    }

    /// <summary>Whether this process has stored something in it since it swept it last.</summary>
    public bool IsTouched { get => _isTouched; set => _isTouched = value; }

    /// <summary>What the last sweep saw.</summary>
    public ShardSummary Summary { get; set; } = ShardSummary.Empty;

    public static string KeyOf(string prefix, int number) => $"{{{prefix}:q:{number}}}";
}

/// <summary>What a sweep saw of a shard.</summary>
/// <param name="Seq">The last place that it had given.</param>
/// <param name="NextSweep">When there will be something to remove, by this process' clock; null: nothing known of.</param>
/// <param name="At">When it was swept.</param>
internal sealed record ShardSummary(
    long Items, long Bytes, long Settled, long Seq, DateTimeOffset? NextSweep, DateTimeOffset At, IReadOnlyList<QueueSummary> Queues)
{
    public static readonly ShardSummary Empty = new(0, 0, 0, 0, null, DateTimeOffset.MinValue, []);
}

/// <summary>One queue of a shard.</summary>
/// <param name="ByState">Items by <see cref="ItemState"/> as readers are told.</param>
internal sealed record QueueSummary(string Queue, DateTimeOffset? Oldest, long Unopenable, long[] ByState);
