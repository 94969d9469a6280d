using SendProxy.Configuration;

namespace SendProxy.Tests.Configuration;

public class JsonPointerTests
{
    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("/a~2")]
    [InlineData("/~")]
    public void TryParse_BadText_IsRefused(string text) => Assert.False(JsonPointer.TryParse(text, out _));
}
