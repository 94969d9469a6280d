using Microsoft.Extensions.Time.Testing;
using SendProxy.Sending.Idempotency;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Tests.Sending;

public class IdempotencyKeyTests
{
    [Fact]
    public void Generate_Key_IsAUuid7InLowerCase() =>
        Assert.Matches("^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$", IdempotencyKey.Generate(new FakeTimeProvider()).Value);

    [Theory]
    [InlineData("a")]
    [InlineData("\"8e03978e-40d5-43dd-bc93-6894a57f9324\"")]
    [InlineData("order:42/attempt")]
    public void TryParse_VisibleAscii_IsKeptAsWritten(string text)
    {
        Assert.True(IdempotencyKey.TryParse(text, out var key));
        Assert.Equal((text, IdempotencyKeyOrigin.Caller), (key.Value, key.Origin));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("ä")]
    [InlineData("a\tb")]
    public void TryParse_OtherText_IsRefused(string text) => Assert.False(IdempotencyKey.TryParse(text, out _));

    [Fact]
    public void TryParse_LongText_IsRefusedBeyondTheBound()
    {
        Assert.True(IdempotencyKey.TryParse(new string('a', 255), out _));
        Assert.False(IdempotencyKey.TryParse(new string('a', 256), out _));
    }

    [Theory]
    [InlineData("u=0", "otp")]
    [InlineData("u=2, i", "otp")]
    [InlineData("i, u=4", "normal")]
    [InlineData("u=7", "bulk")]
    [InlineData("u=8", "bulk")]
    [InlineData("nonsense", "bulk")]
    [InlineData(null, "bulk")]
    public void FromPriority_Header_YieldsTheLaneOrTheRoutes(string? header, string lane) =>
        Assert.Equal(lane, LaneTable.Default.FromPriority(header, LaneTable.Default.Find("bulk")!).Name);
}
