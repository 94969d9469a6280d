using System.Text;
using CsCheck;
using SendProxy.Egress.Admission;

namespace SendProxy.Tests.Egress.Admission;

public class EscapeDecoderTests
{
    [Theory]
    [InlineData("sk%5Flive%5fabc", "sk_live_abc")]
    [InlineData("\\u0073k\\u005Flive_", "sk_live_")]
    [InlineData("100% of \\u00e", "100% of \\u00e")]
    [InlineData("%", "%")]
    [InlineData("%4", "%4")]
    [InlineData("%zz\\u00zz", "%zz\\u00zz")]
    [InlineData("%255f", "%5f")]
    [InlineData("", "")]
    public void Undo_OneLayer_IsUndone(string text, string expected)
    {
        var plain = new byte[text.Length];

        var length = EscapeDecoder.Undo(Encoding.UTF8.GetBytes(text), plain);

        Assert.Equal(expected, Encoding.UTF8.GetString(plain, 0, length));
    }

    [Fact]
    public void Undo_AnyBytes_FitAndAreTheSameWhereNothingIsEscaped() => Gen.Byte.Array[0, 50].Sample(text =>
    {
        var plain = new byte[text.Length];
        var length = EscapeDecoder.Undo(text, plain);
        return length <= text.Length && (EscapeDecoder.AreIn(text) || plain.SequenceEqual(text));
    });
}
