using CsCheck;
using SendProxy.Configuration;

namespace SendProxy.Tests.Configuration;

public class UnitsTests
{
    [Theory]
    [InlineData("250ms", 250)]
    [InlineData("5s", 5000)]
    [InlineData("15m", 900_000)]
    [InlineData("24h", 86_400_000)]
    [InlineData("3d", 259_200_000)]
    public void TryDuration_WithUnit_YieldsMilliseconds(string text, double ms)
    {
        Assert.True(Units.TryDuration(text, out var value));
        Assert.Equal(ms, value.TotalMilliseconds);
    }

    [Theory]
    [InlineData("30")]
    [InlineData("")]
    [InlineData("-1s")]
    [InlineData("1.5s")]
    [InlineData("1 s")]
    [InlineData("1S")]
    [InlineData("1w")]
    [InlineData("00:00:30")]
    [InlineData("999999999999999999d")]
    public void TryDuration_OtherForm_IsRefused(string text) => Assert.False(Units.TryDuration(text, out _));

    [Theory]
    [InlineData("100/s", 100, 1)]
    [InlineData("1000/min", 1000, 60)]
    [InlineData("10/h", 10, 3600)]
    [InlineData("1/6s", 1, 6)]
    public void TryRate_WithPeriod_YieldsPermitsAndPeriod(string text, int permits, double seconds)
    {
        Assert.True(Units.TryRate(text, out var rate));
        Assert.Equal((permits, seconds), (rate.Permits, rate.Per.TotalSeconds));
    }

    [Theory]
    [InlineData("100")]
    [InlineData("0/s")]
    [InlineData("100/")]
    [InlineData("100 / s")]
    [InlineData("1/0s")]
    [InlineData("99999999999/s")]
    public void TryRate_OtherForm_IsRefused(string text) => Assert.False(Units.TryRate(text, out _));

    [Theory]
    [InlineData("20%", 0.2)]
    [InlineData("2.5%", 0.025)]
    [InlineData("0%", 0)]
    public void TryShare_Percent_YieldsRatio(string text, double share)
    {
        Assert.True(Units.TryShare(text, out var value));
        Assert.Equal(share, value, 9);
    }

    [Fact]
    public void Format_AnyDuration_ReadsBackAsItself() =>
        Gen.Long[1, 10_000_000_000].Sample(ms =>
            Units.TryDuration(Units.Format(TimeSpan.FromMilliseconds(ms)), out var back) && back.TotalMilliseconds == ms);

    [Fact]
    public void FormatSize_AnySize_ReadsBackAsItself() =>
        Gen.Long[1, 1L << 50].Sample(bytes => Units.TrySize(Units.FormatSize(bytes), out var back) && back == bytes);

    [Fact]
    public void Parsers_AnyText_DoNotThrow() => Gen.String.Sample(text =>
    {
        _ = Units.TryDuration(text, out _);
        _ = Units.TrySize(text, out _);
        _ = Units.TryRate(text, out _);
        _ = Units.TryShare(text, out _);
        _ = JsonPointer.TryParse(text, out _);
    });
}
