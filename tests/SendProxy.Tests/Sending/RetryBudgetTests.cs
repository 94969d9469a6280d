using Microsoft.Extensions.Time.Testing;
using SendProxy.Sending.Attempts;

namespace SendProxy.Tests.Sending;

public class RetryBudgetTests
{
    private readonly FakeTimeProvider _time = new();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 3)]
    [InlineData(2.5, 2)]
    public void Budget_AtTheStart_AllowsTheFloorOfOneSecond(double floor, int retries) =>
        Assert.Equal(retries, Retries(new RetryBudget(0, floor, _time)));

    [Fact]
    public void Budget_WithExactlyOne_IsAllowedOnce()
    {
        var budget = new RetryBudget(0, 1, _time);

        Assert.True(TryRetry(budget));
        Assert.False(TryRetry(budget));
    }

    [Fact]
    public void Budget_WithALittleLessThanOne_IsRefusedAndTakesNothing()
    {
        var budget = new RetryBudget(0.125, 0.875, _time);

        Assert.False(TryRetry(budget));

        budget.FirstAttempt();
        Assert.Equal(1, Retries(budget));
    }

    [Fact]
    public void Budget_AsTimePasses_IsAllowedAtTheFloor()
    {
        var budget = Empty(0, 2);

        _time.Advance(TimeSpan.FromSeconds(0.25));
        Assert.Equal(0, Retries(budget));

        _time.Advance(TimeSpan.FromSeconds(0.25));
        Assert.Equal(1, Retries(budget));

        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(4, Retries(budget));
    }

    [Fact]
    public void FirstAttempt_EachOne_AddsTheRatio()
    {
        var budget = Empty(0.25, 0);

        FirstAttempts(budget, 3);
        Assert.Equal(0, Retries(budget));

        FirstAttempts(budget, 9);
        Assert.Equal(3, Retries(budget));
    }

    [Fact]
    public void Budget_AfterALongIdleTime_IsBoundedByTenSecondsOfTheFloor()
    {
        var budget = Empty(0, 2);

        _time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(20, Retries(budget));
    }

    [Fact]
    public void Budget_AfterManyRequests_IsBoundedByTheShareOfAThousand()
    {
        var budget = Empty(0.25, 0);

        FirstAttempts(budget, 2000);

        Assert.Equal(250, Retries(budget));
    }

    // Ten seconds of such a floor are less than one retry: the bound must not forbid retries for ever.
    [Fact]
    public void Budget_WithATinyFloor_IsAllowedInTheEnd()
    {
        var budget = new RetryBudget(0, 0.0625, _time);

        _time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(1, Retries(budget));
    }

    private static bool TryRetry(RetryBudget budget)
    {
        if (!budget.HasToken)
        {
            return false;
        }

        budget.Spend();
        return true;
    }

    private static int Retries(RetryBudget budget) => Enumerable.Range(0, 3000).Count(_ => TryRetry(budget));

    private static void FirstAttempts(RetryBudget budget, int count)
    {
        for (var i = 0; i < count; i++)
        {
            budget.FirstAttempt();
        }
    }

    private RetryBudget Empty(double ratio, double floor)
    {
        var budget = new RetryBudget(ratio, floor, _time);
        _ = Retries(budget);
        return budget;
    }
}
