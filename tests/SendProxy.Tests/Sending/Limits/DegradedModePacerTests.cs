using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Rates;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>What one process sends while the fleet's state cannot be had: its part of rate and burst.</summary>
public sealed class DegradedModePacerTests
{
    private const double Now = 10_000_000;
    private static readonly LimitParameters Plan = new(100, 20, 0, 0);

    [Theory]
    [InlineData(1, 20)]
    [InlineData(4, 5)]
    [InlineData(7, 2)]
    [InlineData(40, 1)]
    public void Burst_AfterARest_IsThisProcessesPart(int live, int burst)
    {
        var pacer = Started(live);

        Assert.Equal(burst, Enumerable.Range(0, 30).Count(_ => pacer.TryTake(new(Now + 60_000_000), Plan, 1)));
    }

    [Theory]
    [InlineData(1, 100)]
    [InlineData(4, 25)]
    public void Rate_IsThisProcessesPart(int live, int perSecond)
    {
        var pacer = Started(live);
        var taken = 0;
        for (var at = Now + 60_000_000; at < Now + 70_000_000; at += 1_000)
        {
            taken += pacer.TryTake(new(at), Plan, 1) ? 1 : 0;
        }

        Assert.InRange(taken, perSecond * 10, (perSecond * 10) + 21);
    }

    [Fact]
    public void GiveBack_LetsTheNextGoSooner()
    {
        var pacer = Started(4);
        Assert.True(pacer.TryTake(new(Now + 60_000_000), Plan, 5));
        var before = pacer.NextAt(Plan, 1);

        pacer.GiveBack(Plan, 2);

        Assert.Equal(before.Value - (2 * 40_000), pacer.NextAt(Plan, 1).Value, 3);
    }

    [Fact]
    public void Start_EmptyBucket_WaitsForARandomPartOfItsPace()
    {
        var pacer = new DegradedModePacer(4, () => 0.5);
        pacer.Start(new(Now), Plan, level: 0, probe: true);

        Assert.Equal(Now + 20_000, pacer.NextAt(Plan, 1).Value, 3);
    }

    [Fact]
    public void Heard_WhileItHolds_KeepsTheCountFromBefore()
    {
        var pacer = new DegradedModePacer(1, () => 0);
        pacer.Heard(new(Now), new RateLimitReply { Now = new(1), Live = 8 });
        pacer.Start(new(Now), Plan, 0, probe: true);

        pacer.Heard(new(Now + 1), new RateLimitReply { Now = new(2), Live = 1, Held = new(400_000) });

        Assert.Equal((8, 8), (pacer.Live, pacer.KnownLive(new(Now + 1))));
    }

    private static DegradedModePacer Started(int live)
    {
        var pacer = new DegradedModePacer(1, () => 0);
        pacer.Heard(new(Now), new RateLimitReply { Now = new(1), Live = live });
        pacer.Start(new(Now), Plan, level: 0, probe: true);
        return pacer;
    }
}
