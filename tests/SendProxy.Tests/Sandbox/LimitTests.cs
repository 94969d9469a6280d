using SendProxy.Sandbox.Limits;

namespace SendProxy.Tests.Sandbox;

public class LimitTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch.AddDays(20_000);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(0)]
    [InlineData(300)]
    public void FixedWindow_OfPhase_OpensExactlyAtItsEdge(int phaseMs)
    {
        var limit = new FixedWindow(2, Second, TimeSpan.FromMilliseconds(phaseMs));
        var edge = Start.AddMilliseconds(phaseMs);
        Assert.True(limit.Acquire(edge).Passes);
        Assert.True(limit.Acquire(edge.AddMilliseconds(400)).Passes);

        var refused = limit.Acquire(edge.AddMilliseconds(400));

        Assert.Equal(new LimitVerdict(false, 2, 0, Ms(600), Ms(600)), refused);
        Assert.False(limit.Acquire(edge + Second - TimeSpan.FromTicks(1)).Passes);
        Assert.True(limit.Acquire(edge + Second).Passes);
    }

    [Fact]
    public void FixedWindow_AcrossAnEdge_PassesTwiceTheLimit()
    {
        var limit = new FixedWindow(5, Second, TimeSpan.Zero);

        Assert.Equal(5, Passed(limit, Start.AddMilliseconds(999), 10));
        Assert.Equal(5, Passed(limit, Start.AddMilliseconds(1000), 10));
    }

    [Fact]
    public void TokenBucket_WhenEmpty_PassesOneForEachToken()
    {
        var limit = new TokenBucket(10, Second, burst: 3);
        Assert.Equal(3, Passed(limit, Start, 5));

        Assert.Equal(new LimitVerdict(false, 3, 0, Ms(300), Ms(100)), limit.Acquire(Start));
        Assert.False(limit.Acquire(Start.AddMilliseconds(99)).Passes);
        Assert.True(limit.Acquire(Start.AddMilliseconds(100)).Passes);
        Assert.False(limit.Acquire(Start.AddMilliseconds(100)).Passes);
    }

    [Fact]
    public void TokenBucket_AfterALongRest_HoldsNoMoreThanItsBurst()
    {
        var limit = new TokenBucket(10, Second, burst: 3);
        Passed(limit, Start, 3);

        Assert.Equal(3, Passed(limit, Start.AddHours(1), 10));
    }

    [Fact]
    public void SlidingWindow_AnyStretch_HoldsNoMoreThanTheLimit()
    {
        var limit = new SlidingWindow(2, Second);
        Assert.True(limit.Acquire(Start.AddMilliseconds(900)).Passes);
        Assert.True(limit.Acquire(Start.AddMilliseconds(1000)).Passes);

        Assert.Equal(Ms(700), limit.Acquire(Start.AddMilliseconds(1200)).RetryAfter);
        Assert.False(limit.Acquire(Start.AddMilliseconds(1899)).Passes);
        Assert.True(limit.Acquire(Start.AddMilliseconds(1900)).Passes);
        Assert.False(limit.Acquire(Start.AddMilliseconds(1900)).Passes);
    }

    [Fact]
    public void Concurrency_WhenFull_PassesAfterARelease()
    {
        var limit = new Concurrency(2);
        Assert.Equal(2, Passed(limit, Start, 3));

        limit.Release();

        Assert.Equal(1, Passed(limit, Start, 3));
    }

    [Theory]
    [InlineData("FixedWindow")]
    [InlineData("TokenBucket")]
    [InlineData("SlidingWindow")]
    [InlineData("Concurrency")]
    public void Acquire_OnlyLooking_TakesNothing(string kind)
    {
        var limit = new LimitOptions { Kind = Enum.Parse<LimitKind>(kind), Requests = 1 }.Build();

        Assert.Equal(1, limit.Acquire(Start, take: false).Remaining);
        Assert.Equal(1, limit.Acquire(Start, take: false).Remaining);
        Assert.True(limit.Acquire(Start).Passes);
        Assert.Equal(0, limit.Acquire(Start, take: false).Remaining);
    }

    [Fact]
    public void Gate_RateRefusesAfterConcurrencyPassed_GivesItsPermitBack()
    {
        var gate = new LimitGate(
        [
            new LimitOptions { Kind = LimitKind.FixedWindow, Requests = 1 },
            new LimitOptions { Kind = LimitKind.Concurrency, Requests = 1 },
        ]);
        Assert.True(gate.Acquire(Start, out var lease).Passes);
        lease.Release();
        Assert.False(gate.Acquire(Start, out _).Passes);

        Assert.True(gate.Acquire(Start + Second, out _).Passes);
    }

    [Fact]
    public void Gate_WithoutLimits_AlwaysPasses() =>
        Assert.All(
            Enumerable.Range(0, 10_000), _ => Assert.True(new LimitGate([]).Acquire(Start, out var _).Passes));

    private static TimeSpan Ms(int ms) => TimeSpan.FromMilliseconds(ms);

    private static int Passed(ILimit limit, DateTimeOffset at, int tries) =>
        Enumerable.Range(0, tries).Count(_ => limit.Acquire(at).Passes);
}
