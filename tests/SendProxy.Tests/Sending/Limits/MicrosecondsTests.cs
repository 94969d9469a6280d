using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Tests.Sending.Limits;

// Where a limiter's time becomes somebody else's: nobody must come back, or be woken, a moment too soon.
public class MicrosecondsTests
{
    [Theory]
    [InlineData(-5_000, 1)]
    [InlineData(0, 1)]
    [InlineData(999, 1)]
    [InlineData(1_000, 2)]
    [InlineData(1_999, 2)]
    public void ToRetryAfter_IsTheNextWholeMillisecond(double microseconds, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), new Microseconds(microseconds).ToRetryAfter());

    [Theory]
    [InlineData(-5_000, 1)]
    [InlineData(1, 1)]
    [InlineData(1_000, 1)]
    [InlineData(1_001, 2)]
    [InlineData(double.PositiveInfinity, 60_000)]
    public void ToTimerSpan_IsRoundedUpWithinAMinute(double microseconds, int milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), new Microseconds(microseconds).ToTimerSpan());

    [Fact]
    public void Arithmetic_KeepsItsUnit()
    {
        var second = Microseconds.FromSeconds(1);

        Assert.Equal((1_500_000, 0.5, 2d), ((second * 1.5).Value, (second - Microseconds.From(TimeSpan.FromSeconds(0.5))).Seconds, 2 * second / second));
        Assert.True(Microseconds.LongAgo < Microseconds.Zero && Microseconds.Zero < Microseconds.Never);
        Assert.Equal(Microseconds.Never, Microseconds.Max(second, Microseconds.Never));
    }
}
