namespace SendProxy.Queueing.Redis.Shards;

/// <summary>What the store on Redis tells.</summary>
internal static partial class RedisQueueLog
{
    [LoggerMessage(330, LogLevel.Critical,
        "The journal's data in Redis is gone: {Shard} is empty. About {Items} unfinished items are lost. It was begun anew and takes items; docs/OPERATING.md says what each level of durability can lose")]
    public static partial void Emptied(ILogger logger, string shard, long items);

    [LoggerMessage(331, LogLevel.Critical,
        "The journal's Redis came back with an older state of {Shard}: what was stored or moved last is lost, as after a failover. Items that were finished then may be sent again")]
    public static partial void RolledBack(ILogger logger, string shard);

    [LoggerMessage(332, LogLevel.Warning, "{Items} items were in the hands of {Instance}, a process that lives no more; they are free again")]
    public static partial void Freed(ILogger logger, long items, string instance);

    [LoggerMessage(333, LogLevel.Information, "The journal's Redis keeps {Durability}: {Reading}")]
    public static partial void Durable(ILogger logger, string durability, string reading);

    [LoggerMessage(334, LogLevel.Error, "The journal's Redis keeps {Durability}, and journal.minimum is {Minimum} ({Reading}): new items are refused until it keeps more")]
    public static partial void BelowMinimum(ILogger logger, string durability, string minimum, string reading);

    [LoggerMessage(335, LogLevel.Error,
        "The journal's Redis may drop stored items when it is full: its maxmemory-policy is {Policy}. Set maxmemory-policy noeviction, and give the journal a Redis of its own where another use needs eviction")]
    public static partial void Evicts(ILogger logger, string policy);

    [LoggerMessage(336, LogLevel.Error, "Items of the queue {Queue} are gone from Redis though they were in its indexes: {Items}. Something else deletes keys, or Redis evicts them")]
    public static partial void Gone(ILogger logger, string queue, long items);

    [LoggerMessage(337, LogLevel.Error, "Item {Id} of the queue {Queue} is gone from Redis though it is in its indexes. Something else deletes keys, or Redis evicts them")]
    public static partial void ItemGone(ILogger logger, Guid id, string queue);

    [LoggerMessage(338, LogLevel.Warning,
        "The journal's Redis at {Address} has not answered yet. Sends go on; webhooks are refused, and stored events wait, until it answers; then the journal opens by itself")]
    public static partial void OpensLater(ILogger logger, string address);

    [LoggerMessage(339, LogLevel.Error, "The journal cannot be used: {Problem}")]
    public static partial void CannotUse(ILogger logger, string problem);

    [LoggerMessage(340, LogLevel.Error, "An item of {Bytes} bytes for the queue {Queue}, route {Route}, is larger than journal.maxItemBytes, {Most}, and was refused")]
    public static partial void TooLarge(ILogger logger, string queue, string route, int bytes, long most);

    [LoggerMessage(341, LogLevel.Warning, "{Items} items were leased by this process in Redis, which knew nothing of it, as after a failover; they are free again")]
    public static partial void Forgotten(ILogger logger, long items);
}
