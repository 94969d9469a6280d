using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Concurrency;
using SendProxy.Tests.Redis;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>lease.lua in a real Redis.</summary>
public sealed class LeaseScriptTests(RedisFixture redis) : IAsyncDisposable
{
    private readonly SendProxy.Redis.RedisLink _link = Started(redis);

    [Fact]
    public async Task Leases_OfAll_StayWithinTheLimitAndUseIt()
    {
        var (a, b) = (Store("a", 3), Store("b", 3));

        var first = await a.AskAsync(Call(wanted: 2));
        var second = await b.AskAsync(Call(wanted: 3, isShort: true));

        Assert.Equal((2, 1), (first!.Leased, second!.Leased));
    }

    [Fact]
    public async Task IdleSlots_SomeoneIsShort_GoToThem()
    {
        var (a, b) = (Store("a", 4), Store("b", 4));
        await a.AskAsync(Call(wanted: 4));
        Assert.Equal(0, (await b.AskAsync(Call(wanted: 4, isShort: true)))!.Leased);

        var told = await a.AskAsync(Call(kept: 1, wanted: 1));
        var served = await b.AskAsync(Call(wanted: 4, isShort: true));

        Assert.Equal((1, 1, 3), (told!.Leased, told.Short, served!.Leased));
    }

    [Fact]
    public async Task BothShort_EachComesToItsFairShare()
    {
        var (a, b) = (Store("a", 4), Store("b", 4));
        await a.AskAsync(Call(wanted: 9, isShort: true));
        await b.AskAsync(Call(wanted: 9, isShort: true));

        for (var used = 3; used >= 0; used--)
        {
            await a.AskAsync(Call(kept: used, wanted: 9, isShort: true));
            await b.AskAsync(Call(wanted: 9, isShort: true));
        }

        Assert.Equal(2, (await a.AskAsync(Call(wanted: 9, isShort: true)))!.Leased);
        Assert.Equal(2, (await b.AskAsync(Call(wanted: 9, isShort: true)))!.Leased);
    }

    [Fact]
    public async Task FewerSlotsThanProcesses_GoRoundInALine()
    {
        RedisConcurrencyStore[] stores = [Store("a", 1), Store("b", 1), Store("c", 1)];
        var served = new List<int>();
        for (var turn = 0; turn < 12; turn++)
        {
            var reply = await stores[turn % 3].AskAsync(Call(wanted: 5, isShort: true));
            if (reply!.Leased > 0)
            {
                served.Add(turn % 3);
            }
        }

        Assert.Equal(3, served.Distinct().Count());
    }

    [Fact]
    public async Task StateLost_NothingBeyondWhatIsHeldUntilAllHaveTold()
    {
        var (a, b) = (Store("a", 10), Store("b", 10));
        await a.AskAsync(Call(wanted: 8));
        var before = await b.AskAsync(Call(wanted: 2));
        await redis.Server.Database.KeyDeleteAsync(RedisConcurrencyStore.Keys(_link.Options.KeyPrefix, "calls"));

        var early = await b.AskAsync(Call(kept: 2, wanted: 10, isShort: true, seen: before!.Number, live: 2));
        var told = await a.AskAsync(Call(kept: 8, wanted: 8, seen: before.Number, live: 2));

        Assert.Equal((2, 8), (early!.Leased, told!.Leased));
        Assert.True(early.Held > TimeSpan.Zero);
        Assert.Equal(TimeSpan.Zero, told.Held);
    }

    [Fact]
    public async Task Throttled_BoundFallsByATenthAndAllAreBlocked()
    {
        var (a, b) = (Store("a", 10), Store("b", 10));

        await a.AskAsync(Call(wanted: 1, throttled: TimeSpan.FromMinutes(1)));
        var other = await b.AskAsync(Call(wanted: 20));

        Assert.Equal((9, 8), (other!.Bound, other.Leased));
        Assert.InRange(other.Blocked, TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Leaves_ItsSlotsAreFree()
    {
        var (a, b) = (Store("a", 3), Store("b", 3));
        await a.AskAsync(Call(wanted: 3));

        await a.AskAsync(Call() with { Leaves = true });

        Assert.Equal(3, (await b.AskAsync(Call(wanted: 3)))!.Leased);
    }

    [Fact]
    public void Keys_OfOneLimit_ShareAHashTag() =>
        Assert.All(RedisConcurrencyStore.Keys("p", "calls"), k => Assert.Contains("{limit:calls}", k.ToString(), StringComparison.Ordinal));

    public ValueTask DisposeAsync() => _link.DisposeAsync();

    private static SendProxy.Redis.RedisLink Started(RedisFixture redis)
    {
        var link = LinkUnderTest.Create(redis.Server.Address);
        link.Start();
        return link;
    }

    private static ConcurrencyCall Call(int kept = 0, int wanted = 0, bool isShort = false, TimeSpan? throttled = null, long seen = 0, int live = 1) =>
        new(kept, wanted, isShort, throttled, seen, live, WasAway: false, Leaves: false);

    private RedisConcurrencyStore Store(string process, int limit) => new(_link, new LimitOptions("calls", null, false, 1, TimeSpan.Zero, 10) { Concurrent = limit }, process, "slots", () => { });
}
