using CsCheck;
using SendProxy.Egress.Recipients;

namespace SendProxy.Tests.Egress.Recipients;

public class FixedWindowCounterTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly Random _random = new(7);

    [Fact]
    public void Take_AtTheBound_TellsWhenTheWindowEnds()
    {
        var counter = CreateCounter(permits: 2);

        Assert.Null(counter.Take(1, TimeSpan.FromMinutes(10)));
        Assert.Null(counter.Take(1, TimeSpan.FromMinutes(20)));
        Assert.Equal(TimeSpan.FromMinutes(40), counter.Take(1, TimeSpan.FromMinutes(30)));
        Assert.Equal(TimeSpan.FromTicks(1), counter.Take(1, TimeSpan.FromMinutes(70) - TimeSpan.FromTicks(1)));
        Assert.Null(counter.Take(1, TimeSpan.FromMinutes(70)));
        Assert.Null(counter.Take(2, TimeSpan.FromMinutes(30)));
    }

    [Fact]
    public void GiveBack_InTheWindow_MakesRoom()
    {
        var counter = CreateCounter(permits: 1);
        counter.Take(1, TimeSpan.Zero);

        counter.GiveBack(1, TimeSpan.Zero);

        Assert.Null(counter.Take(1, TimeSpan.Zero));
    }

    [Fact]
    public void GiveBack_AfterTheWindow_ChangesNothing()
    {
        var counter = CreateCounter(permits: 1);
        counter.Take(1, TimeSpan.Zero);
        counter.Take(1, Hour);

        counter.GiveBack(1, TimeSpan.Zero);

        Assert.NotNull(counter.Take(1, Hour));
    }

    [Fact]
    public void Take_MoreKeysThanFit_KeepsTheBoundAndWhatIsUsedUp()
    {
        var counter = CreateCounter(permits: 3, maxSubjects: 100);
        for (var i = 0; i < 3; i++)
        {
            counter.Take(0, TimeSpan.Zero);
        }

        for (var i = 1; i < 10_000; i++)
        {
            Assert.Null(counter.Take((UInt128)i, TimeSpan.Zero));
        }

        Assert.Equal(100, counter.Subjects);
        Assert.NotNull(counter.Take(0, TimeSpan.Zero));
    }

    [Fact]
    public void Take_AllUsedUp_RefusesNewKeysUntilAWindowEnds()
    {
        var counter = CreateCounter(permits: 1, maxSubjects: 10);
        for (var i = 0; i < 10; i++)
        {
            counter.Take((UInt128)i, TimeSpan.Zero);
        }

        Assert.Equal(Hour, counter.Take(10, TimeSpan.Zero));
        Assert.Null(counter.Take(10, Hour));
    }

    [Fact]
    public void Take_AnyTimes_GivesAtMostTwiceTheBoundInAnyHour() =>
        Gen.Int[0, 7200].Array[1, 200].Select(s => s.Order().ToArray()).Sample(seconds =>
        {
            var counter = CreateCounter(permits: 5);
            var taken = seconds.Where(s => counter.Take(1, TimeSpan.FromSeconds(s)) is null).ToArray();
            return taken.All(s => taken.Count(t => t >= s && t < s + 3600) <= 10);
        });

    private FixedWindowCounter CreateCounter(long permits, int maxSubjects = 1000) => new(permits, Hour, maxSubjects, _random.NextDouble);
}
