using System.Text.Json;
using System.Text.RegularExpressions;
using SendProxy.Tests.Tidy;

namespace SendProxy.Tests.Packaging;

// A dashboard or an alert on a series that nobody writes shows nothing and never fires.
public partial class MonitoringTests
{
    private const string Dashboard = "helm/sendproxy/dashboards/sendproxy.json";
    private const string Alerts = "helm/sendproxy/alerts/sendproxy.yaml";

    private static readonly HashSet<string> Known = SourceTree.Files("src/SendProxy")
        .SelectMany(s => Quoted().Matches(string.Join('\n', s.Lines))).Select(m => m.Groups[1].Value).ToHashSet(StringComparer.Ordinal);

    [Theory]
    [InlineData(Dashboard)]
    [InlineData(Alerts)]
    public void Series_EachNamed_IsWrittenBySource(string path)
    {
        var named = Name().Matches(SourceTree.Read(path)).Select(m => HistogramSuffix().Replace(m.Value, "")).Distinct().ToArray();

        Assert.NotEmpty(named);
        Assert.Empty(named.Except(Known));
    }

    [Fact]
    public void Alerts_Each_SaysWhatAndWhatFollows()
    {
        var rules = Yaml.Documents(SourceTree.Read(Alerts)).Single().Items("groups").SelectMany(g => g.Items("rules")).ToArray();

        Assert.All(rules, rule =>
        {
            Assert.StartsWith("SendProxy", rule.Text("alert"), StringComparison.Ordinal);
            Assert.Contains(rule.Text("labels", "severity"), new[] { "critical", "warning" });
            Assert.NotEmpty(rule.Text("annotations", "summary")!);
            Assert.NotEmpty(rule.Text("annotations", "description")!);
            Assert.Equal(rule.Text("expr")!.Count(c => c == '('), rule.Text("expr")!.Count(c => c == ')'));
        });
        Assert.Equal(rules.Length, rules.Select(r => r.Text("alert")).Distinct().Count());
    }

    [Fact]
    public void Dashboard_Panels_HaveIdsOfTheirOwnAndTheChosenSource()
    {
        using var json = JsonDocument.Parse(SourceTree.Read(Dashboard));
        var panels = json.RootElement.GetProperty("panels").EnumerateArray().ToArray();

        Assert.Equal(panels.Length, panels.Select(p => p.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.All(panels.Where(p => p.GetProperty("type").GetString() != "row"), p =>
        {
            Assert.Equal("${datasource}", p.GetProperty("datasource").GetProperty("uid").GetString());
            Assert.All(p.GetProperty("targets").EnumerateArray(), t => Assert.Contains("$namespace", t.GetProperty("expr").GetString(), StringComparison.Ordinal));
        });
    }

    [GeneratedRegex("\"(sendproxy_[a-z_]+)\"")]
    private static partial Regex Quoted();

    [GeneratedRegex("sendproxy_[a-z_]+")]
    private static partial Regex Name();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramSuffix();
}
