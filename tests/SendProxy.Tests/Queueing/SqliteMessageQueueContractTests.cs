namespace SendProxy.Tests.Queueing;

public sealed class SqliteMessageQueueContractTests : MessageQueueContract
{
    private protected override async Task<QueueUnderTest> OpenAsync(QueueBounds bounds) =>
        await SqliteQueueUnderTest.OpenAsync(SqliteQueueUnderTest.NewOptions() with { MaxItems = bounds.MaxItems });
}
