using SendProxy.Tests.Tidy;

namespace SendProxy.Tests.Packaging;

public class HelmChartTests
{
    public static TheoryData<string> Names => [.. HelmRender.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Chart_RenderedNow_IsTheGolden(string name)
    {
        await HelmRender.SkipWithoutHelmAsync();

        foreach (var suffix in new[] { ".yaml", ".notes.txt" })
        {
            var (golden, fresh) = (HelmRender.Golden(name, suffix), await HelmRender.FreshAsync(name, suffix));

            Assert.True(fresh == golden, $"helm/goldens/{name}{suffix} differs. If that is meant: bash eng/helm-goldens.sh, and look at git diff.\n{Difference(golden, fresh)}");
        }
    }

    [Theory]
    [InlineData("gateway.replicas=2", "gateway.replicas must be 1: the journal is a file of one pod")]
    [InlineData("gateway.terminationGracePeriodSeconds=14", "it must be at least 15")]
    [InlineData("gateway.ingress.enabled=true", "gateway.ingress.host is required")]
    [InlineData("sidecar.enabled=true", "sidecar.config.upstreams.sendapi.address is required")]
    public async Task Chart_ValuesThatWouldFailLater_AreRefusedAtRendering(string set, string reason)
    {
        await HelmRender.SkipWithoutHelmAsync();

        var (exit, output) = await HelmRender.TemplateAsync("--set", set);

        Assert.Equal(1, exit);
        Assert.Contains(reason, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chart_PreStopSleep_CountsIntoTheGracePeriod()
    {
        await HelmRender.SkipWithoutHelmAsync();

        var (exit, output) = await HelmRender.TemplateAsync(
            "-f", HelmRender.At("helm/goldens/sidecar-plain.values.yaml"), "--set", "example.terminationGracePeriodSeconds=84");

        Assert.Equal(1, exit);
        Assert.Contains("it must be at least 85", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Chart_Lint_FindsNothing()
    {
        await HelmRender.SkipWithoutHelmAsync();

        var values = Directory.GetFiles(HelmRender.At("helm/goldens"), "*.values.yaml");

        Assert.NotEmpty(values);
        foreach (var file in values)
        {
            var (exit, output) = await HelmRender.HelmAsync("lint", "--strict", HelmRender.At("helm/sendproxy"), "-f", file);
            Assert.True(exit == 0, output);
        }
    }

    [Fact]
    public async Task Manifests_OfEveryGolden_AreValidStrictly()
    {
        await HelmRender.SkipWithoutHelmAsync();

        var (exit, output) = await HelmRender.ValidateAsync([.. HelmRender.Names.Select(n => HelmRender.At($"helm/goldens/{n}.yaml"))]);

        Assert.True(exit == 0, output);
    }

    // The control: a field that no schema knows, one level deep and six, and a value of another type.
    [Theory]
    [InlineData("  replicas: 1", "  replicas: 1\n  replica: 2", "/spec/replica: unknown field")]
    [InlineData("runAsUser: 1654", "runAsUsers: 1654", "/securityContext/runAsUsers: unknown field")]
    [InlineData("  replicas: 1", "  replicas: one", "/spec/replicas must be integer")]
    public async Task Manifests_WithAMistake_AreCaught(string good, string bad, string finding)
    {
        await HelmRender.SkipWithoutHelmAsync();
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, HelmRender.Golden("gateway").Replace(good, bad, StringComparison.Ordinal), TestContext.Current.CancellationToken);

        var (exit, output) = await HelmRender.ValidateAsync(file);
        File.Delete(file);

        Assert.Equal(1, exit);
        Assert.Contains(finding, output, StringComparison.Ordinal);
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
