using System.Text;
using SendProxy.Secrets;
using SendProxy.Upstreams.Responses;

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
}
