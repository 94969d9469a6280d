using StackExchange.Redis;

namespace SendProxy.Queueing.Redis.Shards;

/// <summary>What an operation answered, behind what every answer has; or why there is none.</summary>
/// <param name="MayHaveRun">With an error: it may have been done all the same.</param>
internal readonly record struct QueueReply(RedisResult[] Parts, QueueError? Error = null, bool MayHaveRun = false)
{
    // 'ok', the time, queues with new work.
    private const int Head = 3;

    public RedisResult this[int part] => Parts[Head + part];

    public string Text(int part) => (string?)this[part] ?? "";

    public long Number(int part) => (long)this[part];

    public RedisResult[] List(int part) => (RedisResult[]?)this[part] ?? [];

    /// <summary>The number of an operation that has one part more only where it found something.</summary>
    public bool Has(int part) => Parts.Length > Head + part;
}
