using SendProxy.Queueing;

namespace SendProxy.Tests.Queueing;

public abstract partial class MessageQueueContract
{
    private static DedupeKey Dedupe(string key, string scope = "stripe", int maxIds = 100) =>
        new(scope, key, TimeSpan.FromHours(48), maxIds);

    [Fact]
    public async Task Enqueue_EveryField_IsReadBackAsStored()
    {
        var item = Item("the body") with
        {
            Id = Guid.CreateVersion7(),
            Group = "session-1",
            OrderKey = "k",
            Lane = 2,
            SchemaVersion = 7,
            Due = QueueUnderTest.Start.AddMinutes(1),
            Deadline = QueueUnderTest.Start.AddMinutes(5),
            Expires = QueueUnderTest.Start.AddMinutes(9),
            IdempotencyKey = "idem",
            KeyFingerprint = "abcd1234",
            Metadata = new byte[] { 1, 2, 3 },
        };

        var id = await StoreAsync(item);
        var stored = await GetAsync(id);

        Assert.Equal(item.Id, id);
        Assert.Equal(
            (Name, "sms", "session-1", "k", 2, 7, ItemState.Queued, 0, false),
            (stored.Queue, stored.Route, stored.Group, stored.OrderKey, stored.Lane, stored.SchemaVersion, stored.State,
                stored.Attempts, stored.Attempting));
        Assert.Equal(
            (QueueUnderTest.Start, item.Due, item.Deadline, item.Expires, (DateTimeOffset?)null, "idem", "abcd1234"),
            (stored.Created, stored.Due, stored.Deadline, stored.Expires, stored.Finished, stored.IdempotencyKey,
                stored.KeyFingerprint));
        Assert.Equal("the body"u8.ToArray(), stored.Body!.Value.ToArray());
        Assert.Equal([1, 2, 3], stored.Metadata!.Value.ToArray());
    }

    [Fact]
    public async Task Enqueue_NoId_MakesVersion7OfNow()
    {
        var id = await StoreAsync(Item());

        Assert.Equal(7, id.Version);
        Assert.Equal(Guid.CreateVersion7(QueueUnderTest.Start).ToString()[..13], id.ToString()[..13]);
    }

    [Fact]
    public async Task Enqueue_SameId_ReturnsDuplicateAndKeepsTheFirst()
    {
        var id = await StoreAsync(Item("first") with { Id = Guid.CreateVersion7() });

        var again = await Queue.EnqueueAsync([Item("second") with { Id = id }], Cancel);

        Assert.Equal([EnqueueResult.Duplicate(id)], again);
        Assert.Equal("first", Text(await ClaimOneAsync()));
    }

    [Fact]
    public async Task Enqueue_SameIdInOtherQueue_Stores()
    {
        var id = await StoreAsync(Item());

        await StoreAsync(Item() with { Id = id, Queue = "events" });
    }

    [Fact]
    public async Task Enqueue_SameDedupeKeyTwiceInOneCall_ReturnsDuplicateOfTheFirst()
    {
        var item = Item() with { Dedupe = Dedupe("evt_1") };

        var results = await Queue.EnqueueAsync([item, item], Cancel);

        Assert.Equal([EnqueueVerdict.Stored, EnqueueVerdict.Duplicate], results.Select(result => result.Verdict));
        Assert.Equal(results[0].Id, results[1].Id);
    }

    [Theory]
    [InlineData(-1, true)]
    [InlineData(0, false)]
    public async Task Enqueue_SameDedupeKeyAroundItsWindow_IsDuplicateInsideOnly(int milliseconds, bool duplicate)
    {
        await StoreAsync(Item() with { Dedupe = Dedupe("evt_1") });
        _test.Time.Advance(TimeSpan.FromHours(48) + TimeSpan.FromMilliseconds(milliseconds));

        var again = await Queue.EnqueueAsync([Item() with { Dedupe = Dedupe("evt_1") }], Cancel);

        Assert.Equal(duplicate ? EnqueueVerdict.Duplicate : EnqueueVerdict.Stored, again[0].Verdict);
    }

    [Fact]
    public async Task Enqueue_SameDedupeKeyAfterItemWasSwept_IsStillDuplicate()
    {
        var id = await StoreAsync(Item() with { Dedupe = Dedupe("evt_1") });
        await Queue.FinishAsync((await ClaimOneAsync()).Lease, Finish.Done(), Cancel);
        _test.Time.Advance(TimeSpan.FromHours(30));
        await Queue.SweepAsync(100, Cancel);

        var again = await Queue.EnqueueAsync([Item() with { Dedupe = Dedupe("evt_1") }], Cancel);

        Assert.Null((await Queue.GetAsync(Name, id, Cancel)).Value);
        Assert.Equal([EnqueueResult.Duplicate(id)], again);
    }

    [Fact]
    public async Task Enqueue_SameDedupeKeyInOtherScope_Stores()
    {
        await StoreAsync(Item() with { Dedupe = Dedupe("evt_1") });

        await StoreAsync(Item() with { Dedupe = Dedupe("evt_1", scope: "twilio") });
    }

    [Fact]
    public async Task Enqueue_MoreDedupeKeysThanBound_ForgetsTheOldestAndCountsIt()
    {
        foreach (var key in (string[])["a", "b", "c"])
        {
            await StoreAsync(Item() with { Dedupe = Dedupe(key, maxIds: 2) });
        }

        var again = await Queue.EnqueueAsync(
            [Item() with { Dedupe = Dedupe("b", maxIds: 2) }, Item() with { Dedupe = Dedupe("a", maxIds: 2) }], Cancel);

        Assert.Equal([EnqueueVerdict.Duplicate, EnqueueVerdict.Stored], again.Select(result => result.Verdict));
        Assert.Contains(
            "sendproxy_queue_dedupe_evicted_total{queue=\"outbox\"} 2", await _test.ScrapeAsync(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Enqueue_BeyondMaxItems_RefusesTheRestAndStillKnowsDuplicates()
    {
        await ReopenAsync(new QueueBounds(MaxItems: 2));
        var first = Item() with { Id = Guid.CreateVersion7() };

        var results = await Queue.EnqueueAsync([first, Item(), Item(), first], Cancel);

        Assert.Equal(
            [EnqueueVerdict.Stored, EnqueueVerdict.Stored, EnqueueVerdict.Full, EnqueueVerdict.Duplicate],
            results.Select(result => result.Verdict));
        Assert.True(results[2].RetryAfter > TimeSpan.Zero);
    }

    [Fact]
    public async Task Enqueue_AtMaxItemsWithDoneAndDeadOnes_GivesUpTheDoneOne()
    {
        await ReopenAsync(new QueueBounds(MaxItems: 2));
        var (done, dead) = (await StoreAsync(Item("done")), await StoreAsync(Item("dead")));
        var claimed = (await Queue.ClaimAsync(All, Cancel)).Items;
        await Queue.FinishAsync(claimed[1].Lease, Finish.Dead("rejected"), Cancel);
        await Queue.FinishAsync(claimed[0].Lease, Finish.Done(), Cancel);

        var results = await Queue.EnqueueAsync([Item(), Item()], Cancel);

        Assert.Equal([EnqueueVerdict.Stored, EnqueueVerdict.Full], results.Select(result => result.Verdict));
        Assert.Null((await Queue.GetAsync(Name, done, Cancel)).Value);
        Assert.Equal(ItemState.Dead, (await GetAsync(dead)).State);
    }

    [Fact]
    public async Task Enqueue_CancelledBefore_StoresNothing()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Queue.EnqueueAsync([Item()], new CancellationToken(canceled: true)).AsTask());

        Assert.Empty((await Queue.CountsAsync(Name, Cancel)).Value!);
    }

    [Fact]
    public async Task Enqueue_Leased_IsInTheHandsOfWhoStoredItAndMarked()
    {
        var item = Item() with { LeaseFor = TimeSpan.FromSeconds(30), Deadline = QueueUnderTest.Start.AddHours(1), KeyFingerprint = "abcd1234" };

        var result = (await Queue.EnqueueAsync([item], Cancel))[0];
        var stored = await GetAsync(result.Id);
        var claimed = await Queue.ClaimAsync(All, Cancel);

        Assert.Equal((EnqueueVerdict.Stored, result.Id), (result.Verdict, result.Lease?.Id));
        Assert.Equal((ItemState.Leased, true, item.Deadline, "abcd1234"), (stored.State, stored.Attempting, stored.Deadline, stored.KeyFingerprint));
        Assert.Empty(claimed.Items);
        Assert.True((await Queue.FinishAsync(result.Lease!.Value, Finish.Done(), Cancel)).IsDone);
        Assert.Equal(ItemState.Done, (await GetAsync(result.Id)).State);
    }

    [Fact]
    public async Task Enqueue_LeasedAndNotFinished_IsClaimedWithItsMarkAfterRestart()
    {
        var lost = (await Queue.EnqueueAsync([Item() with { LeaseFor = TimeSpan.FromSeconds(30) }], Cancel))[0];
        await _test.RestartAsync();

        var claimed = await ClaimOneAsync();

        Assert.Equal((lost.Id, true), (claimed.Item.Id, claimed.Item.Attempting));
        Assert.NotEqual(lost.Lease, claimed.Lease);
        Assert.Equal(QueueVerdict.Stale, (await Queue.FinishAsync(lost.Lease!.Value, Finish.Done(), Cancel)).Verdict);
    }

    [Fact]
    public async Task Enqueue_NotLeased_HasNoLease() => Assert.Null((await Queue.EnqueueAsync([Item()], Cancel))[0].Lease);
}
