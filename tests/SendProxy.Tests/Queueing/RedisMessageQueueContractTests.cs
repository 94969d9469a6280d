using SendProxy.Tests.Redis;

namespace SendProxy.Tests.Queueing;

/// <summary>The contract on one Redis.</summary>
public sealed class RedisMessageQueueContractTests(RedisFixture redis) : MessageQueueContract
{
    private protected override async Task<QueueUnderTest> OpenAsync(QueueBounds bounds) =>
        await RedisQueueUnderTest.OpenAsync(RedisQueueUnderTest.NewOptions() with { MaxItems = bounds.MaxItems }, redis.Server.Address);
}

/// <summary>The contract on a Cluster of three masters, in one shard: order over all items is kept within a shard only.</summary>
public sealed class ClusterMessageQueueContractTests(RedisClusterFixture redis) : MessageQueueContract
{
    private protected override async Task<QueueUnderTest> OpenAsync(QueueBounds bounds) => await RedisQueueUnderTest.OpenAsync(
        RedisQueueUnderTest.NewOptions() with { MaxItems = bounds.MaxItems }, (await redis.StartedAsync()).Address);
}

/// <summary>The contract on a master that a Sentinel names.</summary>
public sealed class SentinelMessageQueueContractTests(RedisSentinelFixture redis) : MessageQueueContract
{
    private protected override async Task<QueueUnderTest> OpenAsync(QueueBounds bounds) => await RedisQueueUnderTest.OpenAsync(
        RedisQueueUnderTest.NewOptions() with { MaxItems = bounds.MaxItems }, (await redis.StartedAsync()).Address);
}
