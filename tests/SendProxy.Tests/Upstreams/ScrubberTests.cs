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

    [Fact]
    public void ScrubHead_KeyInEachPlace_IsTakenOut()
    {
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes("sk_live_abc"));
        using var response = new HttpResponseMessage { ReasonPhrase = "No sk_live_abc", Content = new ByteArrayContent([]) };
        response.Headers.TryAddWithoutValidation("X-Plain", ["a sk_live_abc", "b"]);
        response.Headers.TryAddWithoutValidation("X-Basic", $"Basic {encoded}");
        response.Headers.TryAddWithoutValidation("X-SK_LIVE_ABC", "1");
        response.Headers.TryAddWithoutValidation("X-Other", "kept");
        response.Content.Headers.TryAddWithoutValidation("Content-Language", "sk_live_abc");
        response.Content.Headers.TryAddWithoutValidation("Content-Type", $"text/{encoded}");

        var found = Scrubber.ScrubHead(response, Key);

        var head = $"{response.ReasonPhrase} {response.Headers}{response.Content.Headers}";
        Assert.Equal(6, found);
        Assert.DoesNotContain("sk_live_abc", head, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(encoded.TrimEnd('='), head, StringComparison.Ordinal);
        Assert.Contains("a ***********, b", head, StringComparison.Ordinal);
        Assert.Contains("kept", head, StringComparison.Ordinal);
        Assert.Equal(0, Scrubber.ScrubHead(response, Key));
    }

    [Fact]
    public void Through_Base64_IsTakenOutAcrossReads()
    {
        var text = Encoding.UTF8.GetBytes($"x{Convert.ToBase64String(Encoding.UTF8.GetBytes("sk_live_abc"))}y sk_live_abc");
        var found = 0;
        using var inner = new MemoryStream(text);
        using var stream = Scrubber.Through(inner, Key, n => found += n);
        using var read = new MemoryStream();

        for (var buffer = new byte[3]; stream.Read(buffer) is var count and > 0;)
        {
            read.Write(buffer, 0, count);
        }

        Assert.Equal("x***************=y ***********", Encoding.UTF8.GetString(read.ToArray()));
        Assert.Equal(2, found);
    }
}
