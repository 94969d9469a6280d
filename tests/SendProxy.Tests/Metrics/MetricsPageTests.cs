using System.Text.RegularExpressions;
using SendProxy.Tests.Tidy;

namespace SendProxy.Tests.Metrics;

public partial class MetricsPageTests
{
    [Fact]
    public void Page_HasEachSeriesOfTheCode_AndNoOther()
    {
        var code = SourceTree.Files("src/SendProxy").SelectMany(f => Series().Matches(string.Join('\n', f.Lines))).Select(m => m.Groups[2].Value).ToHashSet();
        var page = Row().Matches(SourceTree.Read("docs/METRICS.md")).Select(m => m.Groups[1].Value).ToHashSet();

        Assert.NotEmpty(code);
        Assert.Equal(code.Order(), page.Order());
    }

    // https://prometheus.io/docs/practices/naming/
    [Fact]
    public void Names_FollowPrometheus()
    {
        var series = SourceTree.Files("src/SendProxy").SelectMany(f => Series().Matches(string.Join('\n', f.Lines)));

        Assert.All(series, s =>
        {
            Assert.Equal(s.Groups[1].Value == "Counter", s.Groups[2].Value.EndsWith("_total", StringComparison.Ordinal));
            Assert.DoesNotMatch("_(ms|millis|milliseconds|minutes|kb|mb)(_|$)", s.Groups[2].Value);
        });
    }

    [GeneratedRegex("""Create(Counter|Gauge|Histogram)\(\s*"(sendproxy_[a-z0-9_]+)""")]
    private static partial Regex Series();

    [GeneratedRegex("^\\| `(sendproxy_[a-z0-9_]+)` \\|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
