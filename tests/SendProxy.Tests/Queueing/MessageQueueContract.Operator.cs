using SendProxy.Queueing;

namespace SendProxy.Tests.Queueing;

public abstract partial class MessageQueueContract
{
    private async Task<Guid> StoreFinishedAsync(Finish finish, bool mark = false)
    {
        await StoreAsync(Item());
        var claimed = Assert.Single((await Queue.ClaimAsync(All with { Mark = mark }, Cancel)).Items);
        Assert.True((await Queue.FinishAsync(claimed.Lease, finish, Cancel)).IsDone);
        return claimed.Item.Id;
    }

    [Fact]
    public async Task Replay_Dead_IsQueuedAgainWithoutAttempts()
    {
        var id = await StoreFinishedAsync(Finish.Dead("rejected"), mark: true);

        Assert.True((await Queue.ReplayAsync(Name, id, new Replay(), Cancel)).IsDone);

        var item = (await ClaimOneAsync()).Item;
        Assert.Equal((0, false, null, null), (item.Attempts, item.Attempting, item.Reason, item.Finished));
    }

    [Fact]
    public async Task Replay_Unknown_OnlyWhenSendingTwiceIsAccepted()
    {
        var id = await StoreFinishedAsync(Finish.Unknown("recovered"), mark: true);

        var refused = await Queue.ReplayAsync(Name, id, new Replay(), Cancel);
        var accepted = await Queue.ReplayAsync(Name, id, new Replay(MaySendTwice: true), Cancel);

        Assert.Equal(QueueResult.Refused(ItemState.Unknown), refused);
        Assert.True(accepted.IsDone);
    }

    [Fact]
    public async Task Replay_Done_IsRefused()
    {
        var id = await StoreFinishedAsync(Finish.Done());

        Assert.Equal(
            QueueResult.Refused(ItemState.Done), await Queue.ReplayAsync(Name, id, new Replay(true), Cancel));
    }

    [Fact]
    public async Task Replay_Expired_DoesNotExpireAtOnce()
    {
        await StoreAsync(Item() with { Expires = QueueUnderTest.Start });
        var expired = Assert.Single((await Queue.ClaimAsync(All with { Expired = true }, Cancel)).Items);
        await Queue.FinishAsync(expired.Lease, Finish.Expired(), Cancel);

        await Queue.ReplayAsync(Name, expired.Item.Id, new Replay(), Cancel);

        Assert.Null((await ClaimOneAsync()).Item.Expires);
    }

    [Fact]
    public async Task Edit_Waiting_ReplacesBodyAndKey()
    {
        var id = await StoreAsync(Item("old") with { IdempotencyKey = "old" });

        await Queue.EditAsync(Name, id, new Edit(default, "new"u8.ToArray(), "new-key"), Cancel);

        var claimed = await ClaimOneAsync();
        Assert.Equal(("new", "new-key"), (Text(claimed), claimed.Item.IdempotencyKey));
    }

    [Fact]
    public async Task Edit_LeasedUnknownOrMaybeStarted_IsRefused()
    {
        var unknown = await StoreFinishedAsync(Finish.Unknown("recovered"));
        var started = await StoreAsync(Item());
        await Queue.RetryAsync(
            (await ClaimOneAsync()).Lease,
            new Retry(QueueUnderTest.Start, "timed_out") { KeepAttempting = true }, Cancel);
        var edit = new Edit(default, "new"u8.ToArray(), null);

        Assert.Equal(QueueResult.Refused(ItemState.Unknown), await Queue.EditAsync(Name, unknown, edit, Cancel));
        Assert.Equal(QueueResult.Refused(ItemState.Retrying), await Queue.EditAsync(Name, started, edit, Cancel));
        await ClaimOneAsync();
        Assert.Equal(QueueResult.Refused(ItemState.Leased), await Queue.EditAsync(Name, started, edit, Cancel));
    }

    [Fact]
    public async Task Discard_Waiting_IsNotClaimedAndLetsTheNextOfItsKeyGo()
    {
        var id = await StoreAsync(Item("1") with { OrderKey = "k" });
        await StoreAsync(Item("2") with { OrderKey = "k" });

        Assert.True((await Queue.DiscardAsync(Name, id, Cancel)).IsDone);

        Assert.Equal(["2"], await ClaimBodiesAsync(All));
        Assert.Equal(ItemState.Discarded, (await GetAsync(id)).State);
    }

    [Fact]
    public async Task Discard_LeasedOrDone_IsRefused()
    {
        var done = await StoreFinishedAsync(Finish.Done());
        var leased = await StoreAsync(Item());
        await ClaimOneAsync();

        Assert.Equal(QueueResult.Refused(ItemState.Done), await Queue.DiscardAsync(Name, done, Cancel));
        Assert.Equal(QueueResult.Refused(ItemState.Leased), await Queue.DiscardAsync(Name, leased, Cancel));
    }

    [Fact]
    public async Task OperatorChanges_NoSuchItem_AreNotFound()
    {
        var id = Guid.CreateVersion7();

        Assert.Equal(QueueVerdict.NotFound, (await Queue.ReplayAsync(Name, id, new Replay(), Cancel)).Verdict);
        Assert.Equal(QueueVerdict.NotFound, (await Queue.DiscardAsync(Name, id, Cancel)).Verdict);
        Assert.Equal(
            QueueVerdict.NotFound, (await Queue.EditAsync(Name, id, new Edit(default, default, null), Cancel)).Verdict);
        Assert.Equal(new QueueRead<StoredItem>(null), await Queue.GetAsync(Name, id, Cancel));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(ItemState.Queued)]
    [InlineData(ItemState.Held)]
    public async Task List_SeveralPages_HasEachItemOnceInOrder(object? state)
    {
        var stored = await Queue.EnqueueAsync([.. Enumerable.Range(0, 7).Select(i => Item($"{i}"))], Cancel);
        if (state is ItemState.Held)
        {
            await Queue.HoldAsync(new Hold(Name, HoldScope.Route, "sms", "operator"), Cancel);
        }

        var listed = new List<Guid>();
        string? cursor = null;
        do
        {
            var page = (await Queue.ListAsync(new ListRequest(Name, (ItemState?)state, cursor, Max: 3), Cancel)).Value!;
            Assert.True(page.Items.Count <= 3);
            Assert.All(page.Items, item => Assert.Null(item.Body));
            listed.AddRange(page.Items.Select(item => item.Id));
            cursor = page.Next;
        }
        while (cursor is not null);

        Assert.Equal(stored.Select(result => result.Id), listed);
    }

    [Fact]
    public async Task List_OtherState_IsEmpty()
    {
        await StoreAsync(Item());

        var page = (await Queue.ListAsync(new ListRequest(Name, ItemState.Held), Cancel)).Value!;

        Assert.Empty(page.Items);
        Assert.Null(page.Next);
    }

    [Fact]
    public async Task Counts_HeldAndFree_AreToldApartByStateRouteAndGroup()
    {
        await Queue.EnqueueAsync([Item("1", "a"), Item("2", "a"), Item("3", "b")], Cancel);
        await Queue.ClaimAsync(All with { Max = 1 }, Cancel);
        await Queue.HoldAsync(new Hold(Name, HoldScope.Group, "a", "operator"), Cancel);

        var counts = (await Queue.CountsAsync(Name, Cancel)).Value!;

        Assert.Equivalent(
            new[]
            {
                new QueueCount(ItemState.Held, "sms", "a", 1),
                new QueueCount(ItemState.Leased, "sms", "a", 1),
                new QueueCount(ItemState.Queued, "sms", "b", 1),
            },
            counts, strict: true);
        Assert.Contains(
            "sendproxy_queue_items{queue=\"outbox\",state=\"held\"} 1", await _test.ScrapeAsync(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task OldestAge_FinishedOnesAside_IsThatOfTheOldest()
    {
        Assert.Equal(TimeSpan.Zero, (await Queue.OldestAgeAsync(Name, Cancel)).Value);
        await StoreFinishedAsync(Finish.Done());
        _test.Time.Advance(TimeSpan.FromSeconds(10));
        await StoreAsync(Item());
        _test.Time.Advance(TimeSpan.FromSeconds(5));

        Assert.Equal(TimeSpan.FromSeconds(5), (await Queue.OldestAgeAsync(Name, Cancel)).Value);
    }

    [Fact]
    public async Task Sweep_AfterRetention_RemovesDoneButKeepsDeadAndWaiting()
    {
        var done = await StoreFinishedAsync(Finish.Done());
        var dead = await StoreFinishedAsync(Finish.Dead("rejected"));
        var waiting = await StoreAsync(Item());
        _test.Time.Advance(TimeSpan.FromHours(24) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(0, (await Queue.SweepAsync(100, Cancel)).Value);

        _test.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, (await Queue.SweepAsync(100, Cancel)).Value);

        Assert.Null((await Queue.GetAsync(Name, done, Cancel)).Value);
        Assert.Equal(ItemState.Dead, (await GetAsync(dead)).State);
        Assert.Equal(ItemState.Queued, (await GetAsync(waiting)).State);
    }

    [Fact]
    public async Task Sweep_MoreThanMax_RemovesSoManyAndTheRestLater()
    {
        await Queue.EnqueueAsync([.. Enumerable.Range(0, 250).Select(i => Item($"{i}"))], Cancel);
        foreach (var item in (await Queue.ClaimAsync(All with { Max = 250 }, Cancel)).Items)
        {
            await Queue.FinishAsync(item.Lease, Finish.Done(), Cancel);
        }

        _test.Time.Advance(TimeSpan.FromDays(2));

        Assert.Equal(210, (await Queue.SweepAsync(210, Cancel)).Value);
        Assert.Equal(40, (await Queue.SweepAsync(210, Cancel)).Value);
    }
}
