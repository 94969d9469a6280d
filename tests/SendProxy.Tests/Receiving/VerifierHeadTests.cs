using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using SendProxy.Receiving;

namespace SendProxy.Tests.Receiving;

/// <summary>What the head rules out before a byte of the body is read.</summary>
public class VerifierHeadTests
{
    private const string Hex = "5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd";
    private const long Now = 1_614_265_330;

    [Fact]
    public void TwoHeaders_OfASingleSignature_AreMalformed() => Assert.Equal(
        Rejection.SignatureMalformed, Check("github", ("X-Hub-Signature-256", new([$"sha256={Hex}", $"sha256={Hex}"]))));

    [Fact]
    public void TwoHeaders_OfPairs_AreMalformed() => Assert.Equal(
        Rejection.SignatureMalformed, Check("stripe", ("Stripe-Signature", new([$"t={Now},v1={Hex}", $"t={Now},v1={Hex}"]))));

    [Fact]
    public void TwoHeaders_OfAList_AreOneList() => Assert.Null(
        Check("standard-webhooks", ("webhook-signature", new(["v1,AAAA", "v1,BBBB"])), ("webhook-id", "msg_1"), ("webhook-timestamp", $"{Now}")));

    [Theory]
    [InlineData(-300, null)]
    [InlineData(-301, "TimestampTooOld")]
    [InlineData(300, null)]
    [InlineData(301, "TimestampTooNew")]
    public void Time_AtTheEdgesOfTheTolerance_Counts(int seconds, string? expected) => Assert.Equal(
        expected, Check("standard-webhooks", ("webhook-signature", "v1,AAAA"), ("webhook-id", "msg_1"), ("webhook-timestamp", $"{Now + seconds}"))?.ToString());

    [Theory]
    [InlineData("", "TimestampMissing")]
    [InlineData("1.5", "TimestampMalformed")]
    [InlineData("-1", "TimestampMalformed")]
    [InlineData("1234567890123456", "TimestampMalformed")]
    public void Time_InAnotherForm_IsTold(string written, string expected) => Assert.Equal(
        expected, Check("standard-webhooks", ("webhook-signature", "v1,AAAA"), ("webhook-id", "msg_1"), ("webhook-timestamp", written)).ToString());

    [Theory]
    [InlineData("", "IdMissing")]
    [InlineData("with space", "IdMalformed")]
    [InlineData("a.b", "IdMalformed")]
    public void Id_ThatCouldMoveTheSignedText_IsMalformed(string id, string expected) => Assert.Equal(
        expected, Check("standard-webhooks", ("webhook-signature", "v1,AAAA"), ("webhook-id", id), ("webhook-timestamp", $"{Now}")).ToString());

    [Fact]
    public void TwoIdsOrTwoTimes_AreMalformed()
    {
        Assert.Equal(Rejection.IdMalformed, Check(
            "standard-webhooks", ("webhook-signature", "v1,AAAA"), ("webhook-id", new(["a", "a"])), ("webhook-timestamp", $"{Now}")));
        Assert.Equal(Rejection.TimestampMalformed, Check(
            "standard-webhooks", ("webhook-signature", "v1,AAAA"), ("webhook-id", "a"), ("webhook-timestamp", new([$"{Now}", $"{Now}"]))));
    }

    private static Rejection? Check(string preset, params (string Name, StringValues Value)[] headers)
    {
        var source = Recipes.Read($"{{ preset: {preset}, secrets: [{{ env: NONE }}] }}");
        var sent = new HeaderDictionary();
        foreach (var (name, value) in headers)
        {
            sent[name] = value;
        }

        var (head, rejection) = Verifier.CheckHead(source.Recipe!, sent, TimeSpan.FromMinutes(5), DateTimeOffset.FromUnixTimeSeconds(Now));
        return head is null ? rejection : null;
    }
}
