using SendProxy.Tests.Redis;

namespace SendProxy.Tests.Queueing;

public sealed class RedisMessageQueueContractTests(RedisFixture redis) : MessageQueueContract
{
    private protected override async Task<QueueUnderTest> OpenAsync(QueueBounds bounds) =>
        await RedisQueueUnderTest.OpenAsync(RedisQueueUnderTest.NewOptions() with { MaxItems = bounds.MaxItems }, redis.Server.Address);
}
