using SendProxy.Configuration;

namespace SendProxy.Tests.Configuration;

public class ContentSettlingTests
{
    private readonly ContentSettling _content = new("a");

    [Fact]
    public void Look_SameContent_IsUnchanged() => Assert.Equal(ContentLook.Unchanged, _content.Look("a"));

    [Fact]
    public void Look_NewContentTwice_IsSettledUntilTaken()
    {
        Assert.Equal([ContentLook.Unsettled, ContentLook.Settled, ContentLook.Settled], new[] { "b", "b", "b" }.Select(_content.Look));

        _content.Take("b");

        Assert.Equal(ContentLook.Unchanged, _content.Look("b"));
    }

    [Fact]
    public void Look_FirstOfAll_TakesTwoLooks()
    {
        var first = new ContentSettling(null);

        Assert.Equal([ContentLook.Unsettled, ContentLook.Settled], new[] { "a", "a" }.Select(first.Look));
    }

    [Fact]
    public void Look_ContentThatChangesAtEachLook_IsOverdueAfterTheBound()
    {
        var looks = Enumerable.Range(1, ContentSettling.MaxUnsettledLooks + 1).Select(i => _content.Look($"{i}")).ToArray();

        Assert.All(looks[..^2], l => Assert.Equal(ContentLook.Unsettled, l));
        Assert.All(looks[^2..], l => Assert.Equal(ContentLook.Overdue, l));
    }

    [Fact]
    public void Take_StartsTheCountAnew()
    {
        for (var i = 0; i < ContentSettling.MaxUnsettledLooks; i++)
        {
            _content.Look($"{i}");
        }

        _content.Take("x");

        Assert.Equal(ContentLook.Unsettled, _content.Look("y"));
    }

    [Fact]
    public void Look_BackToWhatIsTaken_IsUnchangedAtOnce()
    {
        _content.Look("b");

        Assert.Equal(ContentLook.Unchanged, _content.Look("a"));
    }
}
