using CsCheck;
using Microsoft.Extensions.Time.Testing;
using SendProxy.Sending.Attempts;
using SendProxy.Upstreams;

namespace SendProxy.Tests.Sending;

public class BackoffTests
{
    private static readonly TimeSpan Base = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Max = TimeSpan.FromSeconds(10);

    [Fact]
    public void Next_AnyDraws_StaysBetweenHalfTheBaseAndTheCap() =>
        Gen.Double[0, 1].Array[1, 20].Sample(draws =>
        {
            var last = TimeSpan.Zero;
            return draws.All(d =>
            {
                last = Backoff.Next(last, Base, Max, null, d);
                return last >= Base / 2 && last <= Max;
            });
        });

    [Fact]
    public void Next_LongHint_IsKeptEvenAboveTheCap() =>
        Assert.Equal(TimeSpan.FromMinutes(1), Backoff.Next(TimeSpan.Zero, Base, Max, TimeSpan.FromMinutes(1), 0.5));

    [Fact]
    public void Next_ShortHint_DoesNotShortenTheWait() =>
        Assert.Equal(Base, Backoff.Next(TimeSpan.Zero, Base, Max, TimeSpan.FromMilliseconds(1), 0.5));

    [Fact]
    public void Budget_WithoutRequests_AllowsTheFloor()
    {
        var time = new FakeTimeProvider();
        var budget = new RetryBudget(0.2, 10, time);
        Drain(budget);

        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(10, Drain(budget));
    }

    [Fact]
    public void Budget_Requests_AddTheirShare()
    {
        var budget = new RetryBudget(0.2, 0.001, new FakeTimeProvider());
        Drain(budget);

        for (var i = 0; i < 100; i++)
        {
            budget.FirstAttempt();
        }

        Assert.InRange(Drain(budget), 19, 21);
    }

    [Fact]
    public void Budget_AtFirst_HoldsOneSecondOfTheFloor()
    {
        Assert.Equal(3, Drain(new RetryBudget(0.2, 3, new FakeTimeProvider())));
        Assert.Equal(1, Drain(new RetryBudget(0.2, 1, new FakeTimeProvider())));
        Assert.Equal(0, Drain(new RetryBudget(0.2, 0.9, new FakeTimeProvider())));
    }

    [Fact]
    public void Budget_SpentByTwoAtOnce_OwesTheSecondToken()
    {
        var time = new FakeTimeProvider();
        var budget = new RetryBudget(0.2, 1, time);
        budget.Spend();
        budget.Spend();

        time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(budget.HasToken);

        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(budget.HasToken);
    }

    private static int Drain(RetryBudget budget)
    {
        var count = 0;
        for (; budget.HasToken; count++)
        {
            budget.Spend();
        }

        return count;
    }
}
