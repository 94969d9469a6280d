using System.Text.RegularExpressions;
using SendProxy.Errors;

namespace SendProxy.Tests.Tidy;

// What the pages for operators name must be there, and must be short enough to be read at night.
public partial class DocumentationTests
{
    private const int BulletWordsMax = 80;

    private static readonly string[] Pages = ["README.md", "docs/OPERATING.md", "docs/KUBERNETES.md", "docs/SECURITY.md", "docs/RATE-LIMITS.md", "helm/sendproxy/README.md"];

    [Fact]
    public void Pages_NameOnlyMetricsThatAreThere()
    {
        var known = Series().Matches(SourceTree.Read("docs/METRICS.md")).Select(m => m.Value).ToHashSet(StringComparer.Ordinal);

        Assert.All(Pages, page => Assert.All(Series().Matches(SourceTree.Read(page)), m => Assert.Contains(m.Value, known)));
    }

    [Fact]
    public void OperatingPage_NamesOnlyErrorsThatAreThere()
    {
        var known = Enum.GetValues<ProxyError>().Select(e => ProxyErrorTable.Describe(e).Code).ToHashSet(StringComparer.Ordinal);
        var named = Status().Matches(SourceTree.Read("docs/OPERATING.md")).Select(m => m.Groups[1].Value).ToArray();

        Assert.True(named.Length > 15);
        Assert.All(named, code => Assert.Contains(code, known));
    }

    [Fact]
    public void Bullets_AreShort()
    {
        var tooLong = Pages.SelectMany(page => TooLong(page, SourceTree.Read(page).Split('\n'))).ToArray();

        Assert.True(tooLong.Length == 0, string.Join('\n', tooLong));
    }

    [Fact]
    public void Bullets_LongOne_IsFound()
    {
        Assert.Single(TooLong("a.md", ["- " + string.Join(' ', Enumerable.Repeat("word", BulletWordsMax + 1))]));
        Assert.Empty(TooLong("a.md", ["- " + string.Join(' ', Enumerable.Repeat("word", BulletWordsMax))]));
    }

    private static IEnumerable<string> TooLong(string page, string[] lines) =>
        lines.Select((line, i) => (Line: line.TrimStart(), Number: i + 1))
            .Where(l => l.Line.StartsWith("- ", StringComparison.Ordinal) && l.Line[2..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Length > BulletWordsMax)
            .Select(l => $"{page}:{l.Number}: more than {BulletWordsMax} words; make it several, or move the reasons to docs/decisions");

    [GeneratedRegex("sendproxy_[a-z0-9_]+")]
    private static partial Regex Series();

    [GeneratedRegex(@"\b[45]\d\d `([a-z_]+)`")]
    private static partial Regex Status();
}
