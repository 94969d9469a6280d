using CsCheck;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Tests.Upstreams;

public class RateHeadersTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);
    private static readonly RateHeaderNames Names = new("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset");

    [Theory]
    [InlineData("1", 1)]
    [InlineData("120", 120)]
    [InlineData("0.5", 0.5)]
    [InlineData(" 2 ", 2)]
    [InlineData("Tue, 24 Nov 2026 12:00:30 GMT", 30)]
    [InlineData("Tuesday, 24-Nov-26 12:00:30 GMT", 30)]
    [InlineData("Tue Nov 24 12:00:30 2026", 30)]
    [InlineData("99999999999", 86400)]
    [InlineData("Tue, 24 Nov 2099 12:00:30 GMT", 86400)]
    public void RetryAfter_GoodForm_YieldsSeconds(string text, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Read(("Retry-After", text)).RetryAfter);

    [Theory]
    [InlineData("0", 0)]
    [InlineData("Tue, 24 Nov 2026 11:59:00 GMT", 0)]
    [InlineData("-1", 1)]
    [InlineData("soon", 1)]
    [InlineData("", 1)]
    [InlineData("1e3", 1)]
    [InlineData("NaN", 1)]
    [InlineData("1,5", 1)]
    public void RetryAfter_NoWait_IsAbsentNotZero(string text, int malformed)
    {
        var hint = Read(("Retry-After", text));

        Assert.Null(hint.RetryAfter);
        Assert.Equal(malformed, hint.Malformed);
    }

    [Theory]
    [InlineData("5", 5)]
    [InlineData("0.25", 0.25)]
    [InlineData("1795521610", 10)]
    [InlineData("1795521610.5", 10.5)]
    [InlineData("1795521610000", 10)]
    [InlineData("1795521610000000", 10)]
    [InlineData("1795521610000000000", 10)]
    [InlineData("1795521590", 0)]
    [InlineData("2026-11-24T12:00:10Z", 10)]
    [InlineData("2026-11-24T13:00:10.500+01:00", 10.5)]
    [InlineData("Tue, 24 Nov 2026 12:00:10 GMT", 10)]
    public void Reset_AnyUnit_YieldsSecondsLeft(string text, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Read(("X-RateLimit-Reset", text)).ResetAfter);

    [Theory]
    [InlineData("X-RateLimit-Reset", "5", 1)]
    [InlineData("X-RateLimit-Reset", "5.", 1)]
    [InlineData("X-RateLimit-Reset", "5.0", 0.1)]
    [InlineData("X-RateLimit-Reset", "0.25", 0.01)]
    [InlineData("X-RateLimit-Reset", "0.250731", 0.001)]
    [InlineData("X-RateLimit-Reset", "1795521610", 2)]
    [InlineData("X-RateLimit-Reset", "1795521610.125", 2)]
    [InlineData("X-RateLimit-Reset", "1795521610125", 2)]
    [InlineData("X-RateLimit-Reset", "2026-11-24T12:00:10.5Z", 2)]
    [InlineData("X-RateLimit-Reset", "Tue, 24 Nov 2026 12:00:10 GMT", 2)]
    [InlineData("X-RateLimit-Reset", "soon", 0)]
    [InlineData("RateLimit-Reset", "3", 1)]
    [InlineData("RateLimit", "\"default\";r=50;t=30", 1)]
    [InlineData("RateLimit", "limit=100, remaining=7, reset=5", 1)]
    [InlineData("RateLimit", "\"default\";r=50", 0)]
    public void ResetBlur_Form_SaysHowFinelyItIsTold(string name, string text, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), Read((name, text)).ResetBlur);

    [Fact]
    public void ResetBlur_Milliseconds_IsOneOfThem() => Assert.Equal(
        TimeSpan.FromMilliseconds(1),
        RateHeaders.Read(name => name == "X-RateLimit-Reset" ? "250" : null, Names with { ResetMilliseconds = true }, Now).ResetBlur);

    [Theory]
    [InlineData("\"default\";r=50;t=30", 50, 30)]
    [InlineData("\"a\";r=50;t=30, \"b\";r=2;t=60", 2, 60)]
    [InlineData("limit=100, remaining=7, reset=5", 7, 5)]
    public void RateLimit_StructuredForms_YieldTheStrictest(string text, int remaining, int reset)
    {
        var hint = Read(("RateLimit", text));

        Assert.Equal((remaining, TimeSpan.FromSeconds(reset)), (hint.Remaining, hint.ResetAfter));
    }

    [Fact]
    public void Date_OfTheAnswer_IsWhatTimesAreJudgedBy() => Assert.Equal(
        TimeSpan.FromSeconds(10),
        Read(("Date", "Tue, 24 Nov 2026 13:00:00 GMT"), ("Retry-After", "Tue, 24 Nov 2026 13:00:10 GMT")).RetryAfter);

    [Fact]
    public void Wait_NothingRemains_IsTheLongerOfBoth() => Assert.Equal(
        TimeSpan.FromSeconds(9), Read(("Retry-After", "2"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "9")).Wait);

    [Fact]
    public void Wait_SomethingRemains_IgnoresTheReset() =>
        Assert.Null(Read(("X-RateLimit-Remaining", "1"), ("X-RateLimit-Reset", "9")).Wait);

    [Fact]
    public void Read_AnyText_NeitherThrowsNorWaitsAboveTheCap() => Gen.Select(Gen.String, Gen.String, Gen.String).Sample((a, b, c) =>
    {
        var hint = Read(("Retry-After", a), ("X-RateLimit-Reset", b), ("RateLimit", c), ("Date", c));
        return (hint.RetryAfter ?? TimeSpan.FromTicks(1)) > TimeSpan.Zero
            && (hint.RetryAfter ?? TimeSpan.Zero) <= RateHeaders.Cap && (hint.ResetAfter ?? TimeSpan.Zero) <= RateHeaders.Cap;
    });

    private static RateHint Read(params (string Name, string Value)[] headers) =>
        RateHeaders.Read(name => headers.FirstOrDefault(h => h.Name == name).Value, Names, Now);

    // What a caller is told of a vendor's wait: a client that obeyed thirty years would never come again.
    [Theory]
    [InlineData("31536000", "300")]
    [InlineData("301", "300")]
    [InlineData("300", null)]
    [InlineData("0", null)]
    [InlineData("soon", null)]
    [InlineData("-5", null)]
    [InlineData("1700000060", "60")]
    [InlineData("1700000060.25", "61")]
    [InlineData("1699999000", "0")]
    [InlineData("1800000000", "300")]
    [InlineData("1700000060000", "60")]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT", "300")]
    [InlineData("Tue, 14 Nov 2023 22:14:00 GMT", null)]
    [InlineData("Tue, 14 Nov 2023 22:00:00 GMT", null)]
    public void BoundedRetryAfter_MoreThanIsBelieved_IsToldAsTheBound(string text, string? expected) =>
        Assert.Equal(expected, RateHeaders.BoundedRetryAfter(text, DateTimeOffset.FromUnixTimeSeconds(1_700_000_000), TimeSpan.FromMinutes(5)));

    [Fact]
    public void BoundedRetryAfter_BoundOfADay_HoldsTooWhereNothingLongerIsBelieved() =>
        Assert.Equal("86400", RateHeaders.BoundedRetryAfter("Fri, 31 Dec 9999 23:59:59 GMT", DateTimeOffset.UnixEpoch, RateHeaders.Cap));
}
