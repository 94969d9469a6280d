using System.Security.Cryptography;
using SendProxy.Sending.Idempotency;

namespace SendProxy.Tests.Sending;

public class RequestFingerprintTests
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(10);
    private static readonly DateTimeOffset FullHour = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Derive_WithinAWindow_ChangesOnceAndNotBefore()
    {
        var print = Print(1);

        var keys = Enumerable.Range(0, 600).Select(s => RequestFingerprint.Derive(print, Window, FullHour.AddSeconds(s))).ToArray();

        Assert.Equal(2, keys.Distinct().Count());
        Assert.Equal(1, keys.Zip(keys.Skip(1)).Count(k => k.First != k.Second));
        Assert.NotEqual(keys[0], RequestFingerprint.Derive(print, Window, FullHour + Window));
    }

    // Jobs of several machines begin at full hours, with some skew: a window that ended there would split all they send.
    [Fact]
    public void Derive_AroundAFullHour_SplitsFewContents() => Assert.InRange(
        Enumerable.Range(0, 1000).Count(i =>
            RequestFingerprint.Derive(Print(i), Window, FullHour.AddSeconds(-1)) != RequestFingerprint.Derive(Print(i), Window, FullHour.AddSeconds(1))),
        0, 12);

    [Fact]
    public void Derive_OtherContent_IsAnotherKey() =>
        Assert.NotEqual(RequestFingerprint.Derive(Print(1), Window, FullHour), RequestFingerprint.Derive(Print(2), Window, FullHour));

    private static byte[] Print(int content) => SHA256.HashData(BitConverter.GetBytes(content));
}
