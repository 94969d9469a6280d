using SendProxy.Tests.Tidy;

namespace SendProxy.Tests.Packaging;

public class HelmChartTests
{
    public static TheoryData<string> Names => [.. HelmRender.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Chart_RenderedNow_IsTheGolden(string name)
    {
        HelmRender.SkipWithoutGo();

        foreach (var suffix in new[] { ".yaml", ".notes.txt" })
        {
            var (golden, fresh) = (HelmRender.Golden(name, suffix), await HelmRender.FreshAsync(name, suffix));

            Assert.True(fresh == golden, $"helm/goldens/{name}{suffix} differs. If that is meant: bash eng/helm-goldens.sh, and look at git diff.\n{Difference(golden, fresh)}");
        }
    }

    [Theory]
    [InlineData("gateway.replicas=2", "needs a journal that the replicas share")]
    [InlineData("gateway.terminationGracePeriodSeconds=14", "it must be at least 15")]
    [InlineData("gateway.ingress.enabled=true", "gateway.ingress.host is required")]
    [InlineData("sidecar.enabled=true", "sidecar.config.upstreams.sendapi.address is required")]
    public async Task Chart_ValuesThatWouldFailLater_AreRefusedAtRendering(string set, string reason)
    {
        HelmRender.SkipWithoutGo();

        var (exit, output) = await HelmRender.RunAsync("-set", set);

        Assert.Equal(1, exit);
        Assert.Contains(reason, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chart_PreStopSleep_CountsIntoTheGracePeriod()
    {
        HelmRender.SkipWithoutGo();

        var (exit, output) = await HelmRender.RunAsync(
            "-f", Path.Combine(SourceTree.Root, "helm/goldens/sidecar-plain.values.yaml"), "-set", "example.terminationGracePeriodSeconds=84");

        Assert.Equal(1, exit);
        Assert.Contains("it must be at least 85", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Goldens_EachValueSet_HasOne() => Assert.Equal(["defaults", "gateway", "parent", "sidecar", "sidecar-plain"], HelmRender.Names);

    [Fact]
    public void Chart_Versions_AreTheProducts()
    {
        var chart = Yaml.Documents(SourceTree.Read("helm/sendproxy/Chart.yaml"))[0];

        var version = chart.Text("appVersion");

        Assert.Contains($"<Version>{version}</Version>", SourceTree.Read("Directory.Build.props"), StringComparison.Ordinal);
        Assert.Contains($"default \"{version}\"", SourceTree.Read("helm/sendproxy/templates/_names.tpl"), StringComparison.Ordinal);
    }

    [Fact]
    public void Readme_Sample_IsTheChartThatIsRendered()
    {
        var sample = SourceTree.Read("helm/sendproxy/README.md").Split("```yaml")[1].Split("```")[0].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var rendered = SourceTree.Read("helm/goldens/parent/templates/deployment.yaml").Split('\n').Select(l => l.Trim()).ToHashSet();

        Assert.All(sample.Where(l => l.Contains("sendproxy.", StringComparison.Ordinal)), l => Assert.Contains(l.Trim(), rendered));
    }

    // Around the first line that differs: enough to see what happened, and git diff shows the rest.
    private static string Difference(string golden, string fresh)
    {
        var (old, now) = (golden.Split('\n'), fresh.Split('\n'));
        var at = Enumerable.Range(0, Math.Min(old.Length, now.Length)).FirstOrDefault(i => old[i] != now[i], Math.Min(old.Length, now.Length));
        var from = Math.Max(0, at - 3);
        return string.Join('\n', [$"line {at + 1}:", .. old[from..at].Select(l => "  " + l),
            .. old[at..Math.Min(old.Length, at + 8)].Select(l => "- " + l), .. now[at..Math.Min(now.Length, at + 8)].Select(l => "+ " + l)]);
    }
}
