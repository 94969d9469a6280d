using System.Text.RegularExpressions;

namespace SendProxy.Tests.Tidy;

// A threat model whose tests were renamed or deleted would still look held.
public partial class SecurityPageTests
{
    [Fact]
    public void Page_NamesOnlyTestsThatAreThere()
    {
        var tests = SourceTree.Files("tests").ToArray();

        var missing = Named().Matches(SourceTree.Read("docs/SECURITY.md")).Select(m => (Class: m.Groups[1].Value, Method: m.Groups[2].Value))
            .Where(n => !tests.Any(t => Path.GetFileName(t.Path).StartsWith(n.Class + ".", StringComparison.Ordinal) && Declares(t.Lines, n.Method)))
            .Select(n => $"{n.Class}.{n.Method}").ToArray();

        Assert.True(missing.Length == 0, string.Join('\n', missing));
        Assert.True(Named().Count(SourceTree.Read("docs/SECURITY.md")) >= 20);
    }

    [Fact]
    public void Declares_NameThatIsOnlyCalled_IsNot()
    {
        Assert.True(Declares(["    public async Task A_B_C()"], "A_B_C"));
        Assert.False(Declares(["        await A_B_C();"], "A_B_C"));
    }

    private static bool Declares(string[] lines, string method) =>
        lines.Any(l => l.TrimStart().StartsWith("public ", StringComparison.Ordinal) && l.Contains($" {method}(", StringComparison.Ordinal));

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex Named();
}
