using System.Text;
using SendProxy.Queueing;

namespace SendProxy.Tests.Queueing;

internal sealed record QueueBounds(int MaxItems = 1000);

/// <summary>What every store must do. Its parts: enqueue, claim, moves, operator, wake-up, model.</summary>
public abstract partial class MessageQueueContract : IAsyncLifetime
{
    private const string Name = "outbox";
    private QueueUnderTest _test = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IMessageQueue Queue => _test.Queue;

    private protected abstract Task<QueueUnderTest> OpenAsync(QueueBounds bounds);

    public async ValueTask InitializeAsync() => _test = await OpenAsync(new QueueBounds());

    public async ValueTask DisposeAsync()
    {
        await _test.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private static NewItem Item(string body = "hello", string group = "") => new()
    {
        Queue = Name,
        Route = "sms",
        Group = group,
        Body = Encoding.UTF8.GetBytes(body),
    };

    private static ClaimRequest All => new(Name, 100);

    private async Task<Guid> StoreAsync(NewItem item)
    {
        var result = (await Queue.EnqueueAsync([item], Cancel))[0];
        Assert.Equal(EnqueueVerdict.Stored, result.Verdict);
        return result.Id;
    }

    private async Task<ClaimedItem> ClaimOneAsync() =>
        Assert.Single((await Queue.ClaimAsync(All, Cancel)).Items);

    private async Task<string[]> ClaimBodiesAsync(ClaimRequest request) =>
        [.. (await Queue.ClaimAsync(request, Cancel)).Items.Select(Text)];

    private async Task<StoredItem> GetAsync(Guid id) => (await Queue.GetAsync(Name, id, Cancel)).Value!;

    private static string Text(ClaimedItem item) => Encoding.UTF8.GetString(item.Body.Span);

    private async Task ReopenAsync(QueueBounds bounds)
    {
        await _test.DisposeAsync();
        _test = await OpenAsync(bounds);
    }
}
