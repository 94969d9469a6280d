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
        var search = KeySearch.For(new System.Text.RegularExpressions.Regex("^(?:sk_live_[A-Za-z0-9]{8,})$"))!;

        Assert.True(search.IsIn("Bearer sk_live_12345678"));
        Assert.True(search.IsIn("{\"text\":\"sk_live_12345678\"}"u8));
        Assert.False(search.IsIn("sk_live_"));
        Assert.False(search.IsIn("a text about sk_live_ keys"u8));
    }
}
