using SendProxy.Queueing;

namespace SendProxy.Tests.Queueing;

public abstract partial class MessageQueueContract
{
    [Fact]
    public async Task Finish_Done_KeepsAnswerReasonAndAttempts()
    {
        var id = await StoreAsync(Item());
        var claimed = await ClaimOneAsync();

        await Queue.FinishAsync(
            claimed.Lease, Finish.Done(new ItemResponse(202, "{}"u8.ToArray())) with { AttemptsMade = 3 }, Cancel);

        var stored = await GetAsync(id);
        Assert.Equal(
            (ItemState.Done, 3, 202, "{}", QueueUnderTest.Start),
            (stored.State, stored.Attempts, stored.Response!.Status,
                System.Text.Encoding.UTF8.GetString(stored.Response.Body.Span), stored.Finished));
    }

    [Fact]
    public async Task Moves_StaleToken_AreStaleAndChangeNothing()
    {
        var id = await StoreAsync(Item());
        var old = (await ClaimOneAsync()).Lease;
        await Queue.GiveBackAsync(old, Cancel);
        await ClaimOneAsync();

        QueueResult[] results =
        [
            await Queue.MarkAttemptingAsync(old, new AttemptMark("ffff0000"), Cancel),
            await Queue.FinishAsync(old, Finish.Done() with { Next = [Item() with { Queue = "events" }] }, Cancel),
            await Queue.RetryAsync(old, new Retry(QueueUnderTest.Start, "x"), Cancel),
            await Queue.GiveBackAsync(old, Cancel),
        ];

        Assert.All(results, result => Assert.Equal(QueueVerdict.Stale, result.Verdict));
        Assert.Equal((ItemState.Leased, false), ((await GetAsync(id)).State, (await GetAsync(id)).Attempting));
        Assert.Empty((await Queue.CountsAsync("events", Cancel)).Value!);
    }

    [Fact]
    public async Task Moves_TokenAfterFinish_IsStale()
    {
        await StoreAsync(Item());
        var lease = (await ClaimOneAsync()).Lease;
        await Queue.FinishAsync(lease, Finish.Done(), Cancel);

        Assert.Equal(QueueVerdict.Stale, (await Queue.FinishAsync(lease, Finish.Dead("x"), Cancel)).Verdict);
    }

    [Fact]
    public async Task Finish_WithNextItems_StoresThemOnceHoweverOftenItIsTried()
    {
        var delivery = Item("delivery") with { Queue = "deliveries", Id = Guid.CreateVersion7() };
        await Queue.EnqueueAsync([Item("event"), delivery], Cancel);
        var claimed = await ClaimOneAsync();

        var finished = await Queue.FinishAsync(
            claimed.Lease,
            Finish.Done() with { Next = [delivery, Item("other") with { Queue = "deliveries" }] }, Cancel);

        Assert.True(finished.IsDone);
        Assert.Equal(
            ["delivery", "other"], await ClaimBodiesAsync(new ClaimRequest("deliveries", 10)));
    }

    [Fact]
    public async Task Finish_NextItemsBeyondMaxItems_IsFullAndTheLeaseHolds()
    {
        await ReopenAsync(new QueueBounds(MaxItems: 2));
        var id = await StoreAsync(Item());
        var lease = (await ClaimOneAsync()).Lease;

        var full = await Queue.FinishAsync(lease, Finish.Done() with { Next = [Item(), Item(), Item()] }, Cancel);

        Assert.Equal(QueueVerdict.Full, full.Verdict);
        Assert.Equal(ItemState.Leased, (await GetAsync(id)).State);
        Assert.True((await Queue.FinishAsync(lease, Finish.Done() with { Next = [Item()] }, Cancel)).IsDone);
    }

    [Fact]
    public async Task Retry_DueLater_IsClaimedThenWithItsHistory()
    {
        await StoreAsync(Item());
        var due = QueueUnderTest.Start.AddSeconds(30);
        await Queue.RetryAsync(
            (await ClaimOneAsync()).Lease,
            new Retry(due, "http_503") { Response = new ItemResponse(503, "busy"u8.ToArray()) }, Cancel);
        Assert.Empty(await ClaimBodiesAsync(All));
        _test.Time.SetUtcNow(due);

        var item = (await ClaimOneAsync()).Item;

        Assert.Equal((1, "http_503", 503, false), (item.Attempts, item.Reason, item.Response!.Status, item.Attempting));
    }

    [Fact]
    public async Task Mark_ThenRestart_ItemIsQueuedAgainAndStillMarked()
    {
        var deadline = QueueUnderTest.Start.AddHours(21);
        await StoreAsync(Item());
        await Queue.MarkAttemptingAsync((await ClaimOneAsync()).Lease, new AttemptMark("ffff0000", deadline), Cancel);
        await _test.RestartAsync();

        var item = (await ClaimOneAsync()).Item;

        Assert.Equal((true, "ffff0000", deadline), (item.Attempting, item.KeyFingerprint, item.Deadline));
    }

    [Fact]
    public async Task Restart_LeaseOfTheEndedProcess_IsStale()
    {
        await StoreAsync(Item());
        var lease = (await ClaimOneAsync()).Lease;
        await _test.RestartAsync();

        Assert.Equal(QueueVerdict.Stale, (await Queue.FinishAsync(lease, Finish.Done(), Cancel)).Verdict);
        Assert.True((await ClaimOneAsync()).Lease.Token > lease.Token);
    }

    [Fact]
    public async Task GiveBack_MarkedUnderThisLease_TakesTheMarkBack()
    {
        var id = await StoreAsync(Item());
        var claimed = Assert.Single((await Queue.ClaimAsync(All with { Mark = true }, Cancel)).Items);
        Assert.True(claimed.Item.Attempting);

        await Queue.GiveBackAsync(claimed.Lease, Cancel);

        Assert.Equal((false, ItemState.Queued, 0), await MarkStateAttemptsAsync(id));
    }

    [Fact]
    public async Task GiveBack_MarkedUnderAnEarlierLease_KeepsTheMark()
    {
        var id = await StoreAsync(Item());
        await Queue.RetryAsync(
            Assert.Single((await Queue.ClaimAsync(All with { Mark = true }, Cancel)).Items).Lease,
            new Retry(QueueUnderTest.Start, "timed_out") { KeepAttempting = true }, Cancel);
        var again = Assert.Single((await Queue.ClaimAsync(All with { Mark = true }, Cancel)).Items);

        await Queue.GiveBackAsync(again.Lease, Cancel);

        Assert.Equal((true, ItemState.Retrying, 1), await MarkStateAttemptsAsync(id));
    }

    [Fact]
    public async Task Restart_OrderedItemInFlight_ComesBackBeforeTheNext()
    {
        await Queue.EnqueueAsync([Item("1") with { OrderKey = "k" }, Item("2") with { OrderKey = "k" }], Cancel);
        await ClaimOneAsync();
        await _test.RestartAsync();

        Assert.Equal("1", Text(await ClaimOneAsync()));
    }

    private async Task<(bool Attempting, ItemState State, int Attempts)> MarkStateAttemptsAsync(Guid id)
    {
        var item = await GetAsync(id);
        return (item.Attempting, item.State, item.Attempts);
    }
}
