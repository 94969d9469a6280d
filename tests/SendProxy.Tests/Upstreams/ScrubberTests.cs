using System.Text;
using SendProxy.Secrets;
using SendProxy.Upstreams;

namespace SendProxy.Tests.Upstreams;

public class ScrubberTests
{
    private static readonly Secret Key = new("sk_live_abc");

    [Theory]
    [InlineData("no key here", 0, "no key here")]
    [InlineData("Bearer sk_live_abc!", 1, "Bearer ***********!")]
    [InlineData("sk_live_abcsk_live_abc", 2, "**********************")]
    public void Scrub_Body_ReplacesEachKeyInPlace(string text, int times, string expected)
    {
        var body = Encoding.UTF8.GetBytes(text);

        Assert.Equal(times, Scrubber.Scrub(body, Key));
        Assert.Equal(expected, Encoding.UTF8.GetString(body));
    }

    [Fact]
    public void KeySearch_KeyInText_IsFound()
    {
        var search = CredentialPattern.For(new System.Text.RegularExpressions.Regex("^(?:sk_live_[A-Za-z0-9]{8,})$"))!;

        Assert.True(search.IsIn("Bearer sk_live_12345678"));
        Assert.True(search.IsIn("{\"text\":\"sk_live_12345678\"}"u8));
        Assert.False(search.IsIn("sk_live_"));
        Assert.False(search.IsIn("a text about sk_live_ keys"u8));
    }

    [Theory]
    [InlineData("(sk|rk)_live_[A-Za-z0-9]{8,}", "text rk_live_12345678 text", true)]
    [InlineData("(sk|rk)_live_[A-Za-z0-9]{8,}", "text xk_live_1234567 text", false)]
    [InlineData("SG\\.[A-Za-z0-9_-]{4,}\\.[A-Za-z0-9_-]{4,}", "SG.abcd.efgh", true)]
    [InlineData("xox[abp]-[A-Za-z0-9-]{10,}", "xox xoxb-1234567890", true)]
    [InlineData("api:[A-Za-z0-9-]{16,}", "api: api:0123456789abcdef", true)]
    [InlineData("keys?_[a-z]{4}", "key_abcd", true)]
    public void KeySearch_VendorsPatterns_AreFoundByTheirLiteral(string pattern, string text, bool expected) =>
        Assert.Equal(expected, CredentialPattern.For(new System.Text.RegularExpressions.Regex(pattern))!.IsIn(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("[0-9a-f]{32}")]
    [InlineData("abcd|efgh")]
    [InlineData("(abcd)[0-9]")]
    public void KeySearch_NothingLiteral_CannotSearch(string pattern) => Assert.Null(CredentialPattern.For(new System.Text.RegularExpressions.Regex(pattern)));
}
