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
        var book = CreateBook(permits: 2);

        Assert.Null(book.Take(1, TimeSpan.FromMinutes(10)));
        Assert.Null(book.Take(1, TimeSpan.FromMinutes(20)));
        Assert.Equal(TimeSpan.FromMinutes(40), book.Take(1, TimeSpan.FromMinutes(30)));
        Assert.Equal(TimeSpan.FromTicks(1), book.Take(1, TimeSpan.FromMinutes(70) - TimeSpan.FromTicks(1)));
        Assert.Null(book.Take(1, TimeSpan.FromMinutes(70)));
        Assert.Null(book.Take(2, TimeSpan.FromMinutes(30)));
    }

    [Fact]
    public void GiveBack_InTheWindow_MakesRoom()
    {
        var book = CreateBook(permits: 1);
        book.Take(1, TimeSpan.Zero);

        book.GiveBack(1, TimeSpan.Zero);

        Assert.Null(book.Take(1, TimeSpan.Zero));
    }

    [Fact]
    public void GiveBack_AfterTheWindow_ChangesNothing()
    {
        var book = CreateBook(permits: 1);
        book.Take(1, TimeSpan.Zero);
        book.Take(1, Hour);

        book.GiveBack(1, TimeSpan.Zero);

        Assert.NotNull(book.Take(1, Hour));
    }

    [Fact]
    public void Take_MoreKeysThanFit_KeepsTheBoundAndWhatIsUsedUp()
    {
        var book = CreateBook(permits: 3, maxKeys: 100);
        for (var i = 0; i < 3; i++)
        {
            book.Take(0, TimeSpan.Zero);
        }

        for (var i = 1; i < 10_000; i++)
        {
            Assert.Null(book.Take((UInt128)i, TimeSpan.Zero));
        }

        Assert.Equal(100, book.Keys);
        Assert.NotNull(book.Take(0, TimeSpan.Zero));
    }

    [Fact]
    public void Take_AllUsedUp_RefusesNewKeysUntilAWindowEnds()
    {
        var book = CreateBook(permits: 1, maxKeys: 10);
        for (var i = 0; i < 10; i++)
        {
            book.Take((UInt128)i, TimeSpan.Zero);
        }

        Assert.Equal(Hour, book.Take(10, TimeSpan.Zero));
        Assert.Null(book.Take(10, Hour));
    }

    [Fact]
    public void Take_AnyTimes_GivesAtMostTwiceTheBoundInAnyHour() =>
        Gen.Int[0, 7200].Array[1, 200].Select(s => s.Order().ToArray()).Sample(seconds =>
        {
            var book = CreateBook(permits: 5);
            var taken = seconds.Where(s => book.Take(1, TimeSpan.FromSeconds(s)) is null).ToArray();
            return taken.All(s => taken.Count(t => t >= s && t < s + 3600) <= 10);
        });

    private FixedWindowCounter CreateBook(long permits, int maxKeys = 1000) => new(permits, Hour, maxKeys, _random.NextDouble);
}
