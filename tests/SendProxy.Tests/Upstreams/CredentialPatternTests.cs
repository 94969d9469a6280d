using System.Text;
using System.Text.RegularExpressions;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Tests.Upstreams;

public class CredentialPatternTests
{
    private const string Stripe = "(sk|rk)_live_[A-Za-z0-9]{8,}";
    private const string Meta = "EAA[A-Za-z0-9]{20,}";
    private const string Key = "sk_live_4f9Kq27XbT1mZ0c";
    private static readonly string Line = string.Concat(Enumerable.Repeat("QmFzZTY0", 9)) + "Qm+/";

    [Theory]
    [InlineData(Stripe, "text rk_live_4f9Kq27XbT1m text", true)]
    [InlineData(Stripe, "text xk_live_4f9Kq27XbT1m text", false)]
    [InlineData("SG\\.[A-Za-z0-9_-]{4,}\\.[A-Za-z0-9_-]{4,}", "SG.ab12cd34ef.gh56ij78kl90mn", true)]
    [InlineData("xox[abp]-[A-Za-z0-9-]{10,}", "xox xoxb-1234567890-a1b2c3d4e5f6", true)]
    [InlineData("api:[A-Za-z0-9-]{16,}", "api: api:0123456789abcdef", true)]
    public void IsIn_VendorsPatterns_AreFoundByTheirLiteral(string pattern, string text, bool expected) =>
        Assert.Equal((expected, expected), (Of(pattern).IsIn(text), Of(pattern).IsIn(Encoding.UTF8.GetBytes(text))));

    [Theory]
    [InlineData("Bearer sk_live_4f9Kq27XbT1mZ0c", true)]
    [InlineData("{\"key\":\"sk_live_4f9Kq27XbT1mZ0c\"}", true)]
    [InlineData("https://a.example/?k=sk_live_4f9Kq27XbT1mZ0c&b", true)]
    [InlineData("my key is sk_live_4f9Kq27XbT1mZ0c.", true)]
    [InlineData("task_live_4f9Kq27XbT1mZ0c", false)]
    [InlineData("mask_live_streaming2024event", false)]
    [InlineData("sk_live_streamingeventsofall", false)]
    [InlineData("sk_live_12345678", false)]
    [InlineData("sk_live_111111111111111111111", false)]
    [InlineData("a-sk_live_4f9Kq27XbT1mZ0c", false)]
    [InlineData("sk_live_4f9Kq27XbT1mZ0c_of", false)]
    [InlineData("a text about sk_live_ keys", false)]
    public void IsIn_Token_MustStandAloneAndBeMixed(string text, bool expected) =>
        Assert.Equal((expected, expected), (Of(Stripe).IsIn(text), Of(Stripe).IsIn(Encoding.UTF8.GetBytes(text))));

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("\\n")]
    [InlineData("\\r\\n")]
    public void IsIn_LineOfAnAttachment_IsNone(string lineEnd)
    {
        var token = "EAA" + Line[..37] + "x1" + Line[..34];
        var first = $"\"{token}{lineEnd}{Line}{lineEnd}Qg==\"";
        var last = $"\"{Line}{lineEnd}{token}\"";

        Assert.Equal((false, false), (Of(Meta).IsIn(Encoding.UTF8.GetBytes(first)), Of(Meta).IsIn(Encoding.UTF8.GetBytes(last))));
        Assert.True(Of(Meta).IsIn(Encoding.UTF8.GetBytes($"a word{lineEnd}{token.Replace('/', 'a').Replace('+', 'b')}{lineEnd}a word")) || lineEnd[0] == '\\');
    }

    [Fact]
    public void IsIn_FoundBehindAFalseOne_IsFound() => Assert.True(Of(Stripe).IsIn(Encoding.UTF8.GetBytes($"task_live_streaming {Key}")));

    [Theory]
    [InlineData("[0-9a-f]{32}")]
    [InlineData("abcd|efgh")]
    [InlineData("(abcd)[0-9]")]
    public void For_NothingLiteral_CannotSearch(string pattern) => Assert.Null(CredentialPattern.For(new Regex(pattern)));

    private static CredentialPattern Of(string pattern) => CredentialPattern.For(new Regex($"^(?:{pattern})$"))!;
}
