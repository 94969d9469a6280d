using System.Text.Json;
using SendProxy.Configuration;

namespace SendProxy.Tests.Configuration;

public class JsonPointerTests
{
    private const string Json = """{"a":{"b":[1,{"c":"x"}]},"a/b":2,"m~n":3,"to":["p","q"],"":4}""";

    [Theory]
    [InlineData("/a/b/0", "1")]
    [InlineData("/a/b/1/c", "\"x\"")]
    [InlineData("/a~1b", "2")]
    [InlineData("/m~0n", "3")]
    [InlineData("/", "4")]
    [InlineData("/to/*", "\"p\" \"q\"")]
    [InlineData("/a/b/2", "")]
    [InlineData("/a/x", "")]
    [InlineData("/to/-1", "")]
    public void FindAll_Pointer_YieldsWhatItNames(string text, string expected)
    {
        using var document = JsonDocument.Parse(Json);
        Assert.True(JsonPointer.TryParse(text, out var pointer));

        Assert.Equal(expected, string.Join(' ', pointer!.FindAll(document.RootElement).Select(e => e.GetRawText())));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("/a~2")]
    [InlineData("/~")]
    public void TryParse_BadText_IsRefused(string text) => Assert.False(JsonPointer.TryParse(text, out _));
}
