namespace SendProxy.Tests.Tidy;

// eng/mutation.sh puts each of these mistakes into the program. A row whose text is gone would be asked of nothing.
public class MutationListTests
{
    [Fact]
    public void Rows_NameATextThatStandsOnceInItsFile()
    {
        var rows = SourceTree.Read("eng/mutations.tsv").Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l[0] != '#').Select(l => l.Split('\t')).ToArray();

        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.Equal(4, row.Length));
        Assert.All(rows, row => Assert.True(Count(SourceTree.Read(row[0]), row[1]) == 1, $"{row[0]} does not hold this once: {row[1]}"));
        Assert.All(rows, row => Assert.NotEqual(row[1], row[2]));
    }

    [Theory]
    [InlineData("a < b", "a < b", 1)]
    [InlineData("a < b; a < b", "a < b", 2)]
    [InlineData("a < b", "a > b", 0)]
    public void Count_OfATextInAnother(string text, string part, int count) => Assert.Equal(count, Count(text, part));

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
