using System.Text;
using SendProxy.Queueing;
using SendProxy.Secrets.Sealing;
using SendProxy.Tests.Redis;

namespace SendProxy.Tests.Queueing;

/// <summary>Several processes on one journal: who is woken, whose leases end, and when.</summary>
public sealed class RedisQueueProcessesTests(RedisFixture redis) : IAsyncLifetime
{
    private const string Name = "outbox";
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pulse = TimeSpan.FromMilliseconds(1250);
    private RedisQueueUnderTest _first = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static ClaimRequest All => new(Name, 100);

    public async ValueTask InitializeAsync() => _first = await RedisQueueUnderTest.OpenAsync(RedisQueueUnderTest.NewOptions(), redis.Server.Address);

    public async ValueTask DisposeAsync() => await _first.DisposeAsync();

    [Fact]
    public async Task Wait_EnqueuedByAnotherProcess_Returns()
    {
        await using var second = await _first.OpenAnotherAsync();
        var waiting = second.Queue.WaitForWorkAsync(Name, await second.Queue.ClaimAsync(All, Cancel), Cancel).AsTask();
        Assert.False(waiting.IsCompleted);

        await StoreAsync();

        await waiting.WaitAsync(Guard, Cancel);
        Assert.Single((await second.Queue.ClaimAsync(All, Cancel)).Items);
    }

    [Fact]
    public async Task Claim_ByTwoProcesses_GivesNoItemTwice()
    {
        await using var second = await _first.OpenAnotherAsync();
        await _first.Queue.EnqueueAsync([.. Enumerable.Range(0, 200).Select(_ => Item())], Cancel);

        var claims = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => (i % 2 == 0 ? _first : second).Queue.ClaimAsync(All with { Max = 10 }, Cancel).AsTask()));

        Assert.Equal(200, claims.SelectMany(claim => claim.Items).Select(item => item.Item.Id).Distinct().Count());
        Assert.Equal(200, claims.Sum(claim => claim.Items.Count));
    }

    [Fact]
    public async Task Killed_OnThisMachine_ItsItemsAreFreeAtTheNextPulseOfAnother()
    {
        await StoreAsync();
        await using var second = await _first.OpenAnotherAsync();
        var lost = Assert.Single((await second.Queue.ClaimAsync(All with { Mark = true }, Cancel)).Items);
        await second.KillAsync();

        await _first.Journal.PulseAsync(Cancel);

        var item = Assert.Single((await _first.Queue.ClaimAsync(All, Cancel)).Items);
        Assert.True(item.Item.Attempting, "The mark is for the owner of the item to judge.");
        Assert.Equal(QueueVerdict.Stale, (await _first.Queue.FinishAsync(lost.Lease, Finish.Done(), Cancel)).Verdict);
        Assert.Contains("sendproxy_journal_freed_leases_total 1", await _first.ScrapeAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killed_OnAnotherMachine_ItsItemsAreFreeWithinFiveSeconds()
    {
        await StoreAsync();
        await using var second = await _first.OpenAnotherAsync(place: "another");
        await second.Journal.PulseAsync(Cancel);
        Assert.Single((await second.Queue.ClaimAsync(All, Cancel)).Items);
        await second.KillAsync();
        var killed = _first.Time.GetUtcNow();

        IReadOnlyList<ClaimedItem> claimed;
        do
        {
            _first.Time.Advance(Pulse);
            await _first.Journal.PulseAsync(Cancel);
            claimed = (await _first.Queue.ClaimAsync(All, Cancel)).Items;
        }
        while (claimed.Count == 0 && _first.Time.GetUtcNow() - killed < TimeSpan.FromMinutes(1));

        Assert.Single(claimed);
        Assert.True(_first.Time.GetUtcNow() - killed <= TimeSpan.FromSeconds(5), $"{_first.Time.GetUtcNow() - killed}");
    }

    [Fact]
    public async Task Slow_ForAnHourWithItsPulse_KeepsItsItem()
    {
        await StoreAsync();
        await using var second = await _first.OpenAnotherAsync(place: "another");
        var slow = Assert.Single((await second.Queue.ClaimAsync(All, Cancel)).Items);

        for (var i = 0; i < 100; i++)
        {
            _first.Time.Advance(i % 10 == 0 ? TimeSpan.FromMinutes(6) : Pulse);
            await _first.Journal.PulseAsync(Cancel);
            await second.Journal.PulseAsync(Cancel);
            await _first.Queue.SweepAsync(10, Cancel);
            Assert.Empty((await _first.Queue.ClaimAsync(All, Cancel)).Items);
        }

        Assert.True((await second.Queue.FinishAsync(slow.Lease, Finish.Done(), Cancel)).IsDone);
    }

    // The entry of a living process may be lost with a node, and that of a dead one too: then its leases show it.
    [Fact]
    public async Task Pulses_AllForgottenByRedis_DeadOnesItemsAreFreeAndLivingOnesAreNot()
    {
        await StoreAsync();
        await StoreAsync();
        await using var dead = await _first.OpenAnotherAsync(place: "another");
        await using var living = await _first.OpenAnotherAsync(place: "a third");
        Assert.Single((await dead.Queue.ClaimAsync(All with { Max = 1 }, Cancel)).Items);
        var kept = Assert.Single((await living.Queue.ClaimAsync(All, Cancel)).Items);
        await dead.KillAsync();
        await redis.Server.Database.KeyDeleteAsync($"{{{_first.Prefix}:q:0}}:instances");

        var claimed = new List<ClaimedItem>();
        for (var i = 0; i < 10; i++)
        {
            _first.Time.Advance(Pulse);
            await _first.Queue.SweepAsync(10, Cancel);
            await _first.Journal.PulseAsync(Cancel);
            await living.Journal.PulseAsync(Cancel);
            claimed.AddRange((await _first.Queue.ClaimAsync(All, Cancel)).Items);
        }

        Assert.Single(claimed);
        Assert.True((await living.Queue.FinishAsync(kept.Lease, Finish.Done(), Cancel)).IsDone);
    }

    [Fact]
    public async Task Claim_ByAProcessWithoutTheKey_IsHeldUntilOneWithItLooks()
    {
        await using var keyless = await _first.OpenAnotherAsync(otherKey: true);
        await StoreAsync();

        Assert.Empty((await keyless.Queue.ClaimAsync(All, Cancel)).Items);
        Assert.Equal(ItemState.Held, Assert.Single((await _first.Queue.ListAsync(new ListRequest(Name), Cancel)).Value!.Items).State);

        await _first.Queue.SweepAsync(10, Cancel);
        Assert.Single((await _first.Queue.ClaimAsync(All, Cancel)).Items);
    }

    [Fact]
    public async Task Open_WithAKeyThatOpensNothing_IsRefused()
    {
        await StoreAsync();

        var refused = await Assert.ThrowsAsync<SealKeyUnavailableException>(() => _first.OpenAnotherAsync(otherKey: true));

        Assert.Contains("opens none of the 1 item in the journal on Redis at", refused.Message, StringComparison.Ordinal);
    }

    private static NewItem Item() => new() { Queue = Name, Route = "sms", Body = Encoding.UTF8.GetBytes("hello") };

    private async Task StoreAsync() => Assert.Equal(EnqueueVerdict.Stored, (await _first.Queue.EnqueueAsync([Item()], Cancel))[0].Verdict);
}
