using SendProxy.Egress;

namespace SendProxy.Tests.Egress;

public class ResponseChangesTests
{
    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a\tb", "a\tb")]
    [InlineData("caf\u00e9", "caf\u00e9")]
    [InlineData("a\0b\rc\nd\u001fe\u007ff", "a b c d e f")]
    public void Clean_ControlCharacters_BecomeSpaces(string value, string expected)
    {
        Assert.Equal(value == expected, ResponseChanges.IsClean(value));
        Assert.Equal(expected, ResponseChanges.Clean(value));
    }

    [Fact]
    public void Text_NamesEachOnceAndTheFirstEight()
    {
        var changes = new ResponseChanges();
        changes.Add(ResponsePart.Body);
        for (var i = 0; i < 9; i++)
        {
            changes.AddHeader($"X-{i}");
            changes.AddHeader($"X-{i}");
        }

        Assert.Equal("body, x-0, x-1, x-2, x-3, x-4, x-5, x-6, ...", changes.ToString());
        Assert.Equal(19, changes.Parts.Count);
    }
}
