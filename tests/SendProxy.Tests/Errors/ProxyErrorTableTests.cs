using System.Text.RegularExpressions;
using SendProxy.Errors;
using SendProxy.Tests.Tidy;

namespace SendProxy.Tests.Errors;

public partial class ProxyErrorTableTests
{
    public static TheoryData<string> All => [.. Enum.GetNames<ProxyError>()];

    [Theory]
    [MemberData(nameof(All))]
    public void Describe_EachMember_HasARowFitForTheWire(string name)
    {
        var row = ProxyErrorTable.Describe(Enum.Parse<ProxyError>(name));

        Assert.InRange(row.Status, 400, 599);
        Assert.Matches("^[a-z]+(_[a-z]+)*$", row.Code);
        Assert.EndsWith(".", row.Title, StringComparison.Ordinal);
        Assert.NotEmpty(row.Remedy);
    }

    [Fact]
    public void Codes_AreUnique() =>
        Assert.Distinct(Enum.GetValues<ProxyError>().Select(e => ProxyErrorTable.Describe(e).Code));

    [Fact]
    public void Page_ListsEachErrorAsTheTableDoes()
    {
        var page = SourceTree.Read("docs/ERRORS.md");

        Assert.All(Enum.GetValues<ProxyError>(), error =>
        {
            var row = ProxyErrorTable.Describe(error);
            Assert.Contains($"| `{row.Code}` | {row.Status} | {row.Title} | {row.Remedy} |", page, StringComparison.Ordinal);
        });
        Assert.Equal(Enum.GetValues<ProxyError>().Length, Row().Count(page));
    }

    [GeneratedRegex("^\\| `[a-z_]+` \\| [0-9]+ \\|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
