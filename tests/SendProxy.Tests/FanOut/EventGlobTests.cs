using SendProxy.FanOut;

namespace SendProxy.Tests.FanOut;

public sealed class EventGlobTests
{
    [Theory]
    [InlineData("*", "", true)]
    [InlineData("*", "message.sent", true)]
    [InlineData("message.*", "message.sent", true)]
    [InlineData("message.*", "message.", true)]
    [InlineData("message.*", "message", false)]
    [InlineData("message.*", "xmessage.sent", false)]
    [InlineData("*.sent", "message.sent", true)]
    [InlineData("*.sent", "message.sent.x", false)]
    [InlineData("a*b*c", "aXbYc", true)]
    [InlineData("a*b*c", "abc", true)]
    [InlineData("a*b*c", "acb", false)]
    [InlineData("aa*aa", "aaa", false)]
    [InlineData("message.sent", "message.sent", true)]
    [InlineData("message.sent", "message.sent2", false)]
    [InlineData("message.sent", "Message.Sent", false)]
    public void Matches_Type_OnlyAsThePatternSays(string glob, string type, bool matches)
    {
        Assert.Equal(matches, new EventGlob(glob).Matches(type));
    }
}
