using SendProxy.Queueing;

namespace SendProxy.Tests.Queueing;

public abstract partial class MessageQueueContract
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(5);

    private Task WaitAsync(ClaimResult last) => Queue.WaitForWorkAsync(Name, last, Cancel).AsTask();

    [Fact]
    public async Task Wait_EnqueuedBetweenClaimAndWait_ReturnsAtOnce()
    {
        var empty = await Queue.ClaimAsync(All, Cancel);
        await StoreAsync(Item());

        await WaitAsync(empty).WaitAsync(Guard, Cancel);
    }

    [Fact]
    public async Task Wait_EnqueuedWhileWaiting_Returns()
    {
        var waiting = WaitAsync(await Queue.ClaimAsync(All, Cancel));
        Assert.False(waiting.IsCompleted);

        await StoreAsync(Item());

        await waiting.WaitAsync(Guard, Cancel);
    }

    [Fact]
    public async Task Wait_NextDueComes_ReturnsThenAndNotBefore()
    {
        await StoreAsync(Item() with { Due = QueueUnderTest.Start.AddMinutes(1) });
        var waiting = WaitAsync(await Queue.ClaimAsync(All, Cancel));
        _test.Time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(waiting.IsCompleted);

        _test.Time.Advance(TimeSpan.FromSeconds(1));

        await waiting.WaitAsync(Guard, Cancel);
    }

    [Fact]
    public async Task Wait_HoldReleased_Returns()
    {
        await StoreAsync(Item());
        await Queue.HoldAsync(new Hold(Name, HoldScope.Route, "sms", "operator"), Cancel);
        var waiting = WaitAsync(await Queue.ClaimAsync(All, Cancel));
        Assert.False(waiting.IsCompleted);

        await Queue.ReleaseAsync(Name, HoldScope.Route, "sms", Cancel);

        await waiting.WaitAsync(Guard, Cancel);
    }

    [Fact]
    public async Task Wait_HeadOfOrderKeyFinished_Returns()
    {
        await Queue.EnqueueAsync([Item("1") with { OrderKey = "k" }, Item("2") with { OrderKey = "k" }], Cancel);
        var head = await ClaimOneAsync();
        var waiting = WaitAsync(await Queue.ClaimAsync(All, Cancel));

        await Queue.FinishAsync(head.Lease, Finish.Done(), Cancel);

        await waiting.WaitAsync(Guard, Cancel);
    }

    [Fact]
    public async Task Wait_OtherOfTheOrderKeyNoLongerInFlight_Returns()
    {
        await Queue.EnqueueAsync([Item("1") with { OrderKey = "k" }, Item("2") with { OrderKey = "k" }], Cancel);
        await Queue.RetryAsync(
            (await ClaimOneAsync()).Lease,
            new Retry(QueueUnderTest.Start.AddSeconds(1), "slow") { LetOthersPass = true }, Cancel);
        var second = await ClaimOneAsync();
        _test.Time.Advance(TimeSpan.FromSeconds(1));
        var waiting = WaitAsync(await Queue.ClaimAsync(All, Cancel));
        Assert.False(waiting.IsCompleted);

        await Queue.FinishAsync(second.Lease, Finish.Done(), Cancel);

        await waiting.WaitAsync(Guard, Cancel);
    }

    [Fact]
    public async Task Wait_Cancelled_Throws()
    {
        using var cancelled = new CancellationTokenSource();
        var waiting = Queue.WaitForWorkAsync(Name, await Queue.ClaimAsync(All, Cancel), cancelled.Token).AsTask();

        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }
}
