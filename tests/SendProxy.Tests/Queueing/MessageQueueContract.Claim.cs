using SendProxy.Queueing;

namespace SendProxy.Tests.Queueing;

public abstract partial class MessageQueueContract
{
    [Fact]
    public async Task Claim_SeveralLanesAndDueTimes_GoesByLaneThenDueThenArrival()
    {
        var earlier = QueueUnderTest.Start.AddSeconds(-1);
        await StoreAsync(Item("lane 1, arrived first", "a"));
        await StoreAsync(Item("lane 1, arrived second", "b"));
        await StoreAsync(Item("lane 1, due earlier", "a") with { Due = earlier });
        await StoreAsync(Item("lane 2, due earlier", "b") with { Lane = 2, Due = earlier });
        await StoreAsync(Item("lane 0", "c") with { Lane = 0 });

        Assert.Equal(["lane 0", "lane 1, due earlier"], await ClaimBodiesAsync(All with { Max = 2 }));
        Assert.Equal(
            ["lane 1, arrived first", "lane 1, arrived second", "lane 2, due earlier"], await ClaimBodiesAsync(All));
    }

    [Fact]
    public async Task Claim_LongBacklogInTwoGroups_KeepsTheOrder()
    {
        var bodies = Enumerable.Range(0, 60).Select(i => $"{i:00}").ToArray();
        await Queue.EnqueueAsync([.. bodies.Select((body, i) => Item(body, i % 7 == 0 ? "few" : "many"))], Cancel);

        var claimed = new List<string>();
        while (await ClaimBodiesAsync(All with { Max = 9 }) is { Length: > 0 } some)
        {
            claimed.AddRange(some);
        }

        Assert.Equal(bodies, claimed);
    }

    [Fact]
    public async Task Claim_LeasedItem_IsNotGivenTwice()
    {
        await StoreAsync(Item());
        await ClaimOneAsync();

        Assert.Empty(await ClaimBodiesAsync(All));
    }

    [Fact]
    public async Task Claim_AgainAfterGiveBack_HasAGreaterToken()
    {
        await StoreAsync(Item());
        var first = await ClaimOneAsync();
        await Queue.GiveBackAsync(first.Lease, Cancel);

        var second = await ClaimOneAsync();

        Assert.True(second.Lease.Token > first.Lease.Token);
    }

    [Fact]
    public async Task Claim_DueLater_IsLeftOutAndToldAsNextDue()
    {
        var due = QueueUnderTest.Start.AddMinutes(3);
        await StoreAsync(Item() with { Due = due.AddMinutes(1) });
        await StoreAsync(Item() with { Due = due, Lane = 2 });

        var early = await Queue.ClaimAsync(All, Cancel);
        _test.Time.SetUtcNow(due);
        var late = await Queue.ClaimAsync(All, Cancel);

        Assert.Empty(early.Items);
        Assert.Equal(due, early.NextDue);
        Assert.Single(late.Items);
        Assert.Equal(due.AddMinutes(1), late.NextDue);
    }

    [Fact]
    public async Task Claim_MoreDueThanAsked_SaysThatMoreIsDueNow()
    {
        await Queue.EnqueueAsync([Item("1"), Item("2")], Cancel);

        var claimed = await Queue.ClaimAsync(All with { Max = 1 }, Cancel);

        Assert.Equal(QueueUnderTest.Start, claimed.NextDue);
    }

    [Fact]
    public async Task Claim_GroupFilters_TakeOnlyWhatIsWanted()
    {
        await Queue.EnqueueAsync(
            [Item("a", "a"), Item("b", "b"), Item("c", "c"), Item("d", "d") with { Route = "email" }], Cancel);

        Assert.Equal(
            ["b"],
            await ClaimBodiesAsync(All with
            {
                OnlyGroups = new HashSet<string> { "a", "b", "d" },
                ExcludedGroups = new HashSet<string> { "a" },
                ExcludedRoutes = new HashSet<string> { "email" },
            }));
    }

    [Fact]
    public async Task Claim_MaxPerGroup_LeavesRoomForTheOthers()
    {
        await Queue.EnqueueAsync([Item("a1", "a"), Item("a2", "a"), Item("a3", "a"), Item("b1", "b")], Cancel);

        Assert.Equal(["a1", "a2", "b1"], await ClaimBodiesAsync(All with { MaxPerGroup = 2 }));
    }

    [Fact]
    public async Task Claim_MaxBytes_TakesOneAtLeastAndLeavesTheRest()
    {
        await Queue.EnqueueAsync([Item(new string('a', 5000)), Item(new string('b', 5000)), Item("c")], Cancel);

        Assert.Equal([5000], (await ClaimBodiesAsync(All with { MaxBytes = 100 })).Select(body => body.Length));
        Assert.Equal([5000, 1], (await ClaimBodiesAsync(All with { MaxBytes = 6000 })).Select(body => body.Length));
    }

    [Theory]
    [InlineData(false, "session-1")]
    [InlineData(true, "sms")]
    public async Task Claim_HeldItem_WaitsForTheRelease(bool byRoute, string name)
    {
        var scope = byRoute ? HoldScope.Route : HoldScope.Group;
        var id = await StoreAsync(Item("held", "session-1"));
        await StoreAsync(Item("free", "session-2") with { Route = "email" });
        await Queue.HoldAsync(new Hold(Name, scope, name, "session_down"), Cancel);

        Assert.Equal(["free"], await ClaimBodiesAsync(All));
        Assert.Equal(ItemState.Held, (await GetAsync(id)).State);

        Assert.True((await Queue.ReleaseAsync(Name, scope, name, Cancel)).IsDone);
        Assert.Equal(["held"], await ClaimBodiesAsync(All));
    }

    [Fact]
    public async Task Hold_AfterRestart_StillHoldsWithReasonAndTime()
    {
        await StoreAsync(Item("held", "session-1"));
        await Queue.HoldAsync(new Hold(Name, HoldScope.Group, "session-1", "session_down"), Cancel);
        await _test.RestartAsync();

        Assert.Empty(await ClaimBodiesAsync(All));
        Assert.Equal(
            [new Hold(Name, HoldScope.Group, "session-1", "session_down", QueueUnderTest.Start)],
            (await Queue.HoldsAsync(Name, Cancel)).Value!);
    }

    [Fact]
    public async Task Release_NotHeld_IsNotFound() => Assert.Equal(
        QueueVerdict.NotFound, (await Queue.ReleaseAsync(Name, HoldScope.Group, "nobody", Cancel)).Verdict);

    [Fact]
    public async Task Claim_SameOrderKey_GivesOneAtATimeInOrderOfArrival()
    {
        await Queue.EnqueueAsync(
            [Item("1") with { OrderKey = "k" }, Item("2") with { OrderKey = "k", Lane = 0 }, Item("other")], Cancel);
        var claimed = (await Queue.ClaimAsync(All, Cancel)).Items;
        Assert.Equal(["1", "other"], claimed.Select(Text));

        await Queue.RetryAsync(claimed[0].Lease, new Retry(QueueUnderTest.Start.AddSeconds(1), "busy"), Cancel);
        Assert.Empty(await ClaimBodiesAsync(All));

        _test.Time.Advance(TimeSpan.FromSeconds(1));
        var first = await ClaimOneAsync();
        await Queue.FinishAsync(first.Lease, Finish.Done(), Cancel);

        Assert.Equal(["2"], await ClaimBodiesAsync(All));
    }

    [Fact]
    public async Task Claim_HeadLetsOthersPass_NeverTwoOfTheKeyInFlight()
    {
        await Queue.EnqueueAsync([Item("1") with { OrderKey = "k" }, Item("2") with { OrderKey = "k" }], Cancel);
        await Queue.RetryAsync(
            (await ClaimOneAsync()).Lease,
            new Retry(QueueUnderTest.Start.AddSeconds(1), "slow") { LetOthersPass = true }, Cancel);

        var second = await ClaimOneAsync();
        Assert.Equal("2", Text(second));
        _test.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await ClaimBodiesAsync(All));

        await Queue.FinishAsync(second.Lease, Finish.Done(), Cancel);
        Assert.Equal(["1"], await ClaimBodiesAsync(All));
    }

    [Theory]
    [InlineData("give back")]
    [InlineData("retry")]
    [InlineData("restart")]
    public async Task Claim_NextHeadComesBackWhileAnEarlierOneWasLetGo_IsClaimable(string how)
    {
        await Queue.EnqueueAsync([Item("1") with { OrderKey = "k" }, Item("2") with { OrderKey = "k" }], Cancel);
        await Queue.RetryAsync(
            (await ClaimOneAsync()).Lease, new Retry(QueueUnderTest.Start.AddHours(1), "slow") { LetOthersPass = true },
            Cancel);
        var second = await ClaimOneAsync();

        await (how switch
        {
            "give back" => Queue.GiveBackAsync(second.Lease, Cancel).AsTask(),
            "retry" => Queue.RetryAsync(second.Lease, new Retry(QueueUnderTest.Start, "busy"), Cancel).AsTask(),
            _ => _test.RestartAsync(),
        });

        Assert.Equal(["2"], await ClaimBodiesAsync(All));
    }

    [Fact]
    public async Task Claim_ExpiredItem_OnlyAsExpiredEvenWhenHeldOrNotDue()
    {
        await StoreAsync(Item("kept", "s"));
        await StoreAsync(Item("gone", "s") with
        {
            Expires = QueueUnderTest.Start.AddMinutes(1),
            Due = QueueUnderTest.Start.AddHours(1),
        });
        await Queue.HoldAsync(new Hold(Name, HoldScope.Group, "s", "session_down"), Cancel);
        var expired = All with { Expired = true };
        var early = await Queue.ClaimAsync(expired, Cancel);
        _test.Time.Advance(TimeSpan.FromMinutes(1));

        var claimed = Assert.Single((await Queue.ClaimAsync(expired, Cancel)).Items);
        await Queue.FinishAsync(claimed.Lease, Finish.Expired(), Cancel);

        Assert.Empty(early.Items);
        Assert.Equal(QueueUnderTest.Start.AddMinutes(1), early.NextDue);
        Assert.Equal("gone", Text(claimed));
        Assert.Equal(ItemState.Expired, (await GetAsync(claimed.Item.Id)).State);
    }
}
