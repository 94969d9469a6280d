using System.Text.RegularExpressions;
using SendProxy.Hosting;
using SendProxy.Tests.Configuration;
using YamlDotNet.RepresentationModel;

namespace SendProxy.Tests.Packaging;

// Facts about what the chart renders, read from the goldens: HelmChartTests holds those to the chart.
public partial class HelmFactsTests
{
    public static TheoryData<string> Names => [.. HelmRender.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Pods_EachContainer_IsConfined(string name) => AssertNone(Workloads(name).SelectMany(PodChecks.Security));

    [Theory]
    [MemberData(nameof(Names))]
    public void Pods_EachProxy_IsProbed(string name) => AssertNone(Workloads(name).SelectMany(PodChecks.Probes));

    [Theory]
    [MemberData(nameof(Names))]
    public void Pods_WhatTheyName_Exists(string name) => AssertNone(Workloads(name).SelectMany(w => PodChecks.Names(w, Documents(name))));

    [Theory]
    [MemberData(nameof(Names))]
    public void Documents_NoneIsASecret(string name) => Assert.DoesNotContain("Secret", Documents(name).Select(d => d.Text("kind")));

    [Theory]
    [MemberData(nameof(Names))]
    public void Configurations_Each_IsTakenByTheProxy(string name)
    {
        using var file = new SettingsFile();
        var configurations = Configurations(name);

        Assert.NotEmpty(configurations);
        AssertNone(configurations.SelectMany(c => file.Errors(c)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Configurations_SecretsTheyRead_AreMounted(string name)
    {
        foreach (var workload in Workloads(name))
        {
            var mounts = PodChecks.Containers(workload).SelectMany(c => c.Items("volumeMounts")).Select(m => m.Text("mountPath")).ToArray();
            var read = SecretPath().Matches(ConfigurationOf(workload, name)).Select(m => m.Value);

            AssertNone(read.Where(path => !mounts.Contains(path)));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Pods_Ports_AreThoseOfTheConfiguration(string name)
    {
        using var file = new SettingsFile();
        foreach (var workload in Workloads(name))
        {
            var listen = file.Load(ConfigurationOf(workload, name)).Listen;
            var ports = PodChecks.Containers(workload).Single(c => c.Text("name") == PodChecks.Proxy).Items("ports")
                .ToDictionary(p => p.Text("name")!, p => p.Text("containerPort"), StringComparer.Ordinal);

            Assert.Equal($"{listen.Metrics[0].Tcp!.Port}", ports["sendproxy-mtr"]);
            Assert.Equal(ports.GetValueOrDefault("webhooks", "4751"), $"{listen.Webhooks[0].Tcp!.Port}");
        }
    }

    [Theory]
    [InlineData("sidecar")]
    [InlineData("sidecar-plain")]
    [InlineData("parent")]
    public void Sidecar_Port_IsForItsPodAndItsProgramsOnly(string name)
    {
        using var file = new SettingsFile();

        var settings = file.Load(Configurations(name).Single());

        Assert.All(settings.Listen.Egress, a => Assert.True(a.IsLocal));
        Assert.NotNull(settings.Guard.RequireHeader);
        Assert.Equal(Roles.Egress | Roles.Worker, settings.Roles);
    }

    [Fact]
    public void Sidecar_Default_StartsBeforeAndEndsAfterTheApplication() =>
        Assert.Equal("Always", Workloads("sidecar").Single().Items("spec", "template", "spec", "initContainers").Single().Text("restartPolicy"));

    [Fact]
    public void Gateway_Configuration_HasNoUpstreamKey()
    {
        using var file = new SettingsFile();

        var settings = file.Load(Configurations("defaults").Single());

        Assert.Empty(settings.Upstreams);
        Assert.Equal(Roles.Webhooks | Roles.Worker, settings.Roles);
        Assert.StartsWith("/var/lib/sendproxy/", settings.Journal.Path, StringComparison.Ordinal);
    }

    [Fact]
    public void Selectors_OfEverythingAroundTheGateway_MatchIt()
    {
        var documents = Documents("gateway");
        var gateway = Workloads("gateway").Single();
        var selectors = documents.Select(d => d.Text("kind") switch
        {
            "Service" => d.Map("spec", "selector"),
            "NetworkPolicy" => d.Map("spec", "podSelector", "matchLabels"),
            "PodDisruptionBudget" => d.Map("spec", "selector", "matchLabels"),
            "PodMonitor" when d.Text("metadata", "name")!.EndsWith("-gateway", StringComparison.Ordinal) => d.Map("spec", "selector", "matchLabels"),
            _ => null,
        }).OfType<IReadOnlyDictionary<string, string>>().ToArray();

        Assert.Equal(4, selectors.Length);
        Assert.All(selectors, s => Assert.True(PodChecks.Selects(s, gateway)));
        Assert.Contains(documents, d => d.Text("kind") == "Service" && d.Text("metadata", "name") == gateway.Text("spec", "serviceName"));
    }

    private static IReadOnlyList<YamlMappingNode> Documents(string name) => Yaml.Documents(HelmRender.Golden(name));

    private static IEnumerable<YamlMappingNode> Workloads(string name) => PodChecks.Workloads(Documents(name));

    private static string[] Configurations(string name) => [.. Documents(name).Select(d => d.Text("data", "proxy.yaml")).OfType<string>()];

    private static string ConfigurationOf(YamlNode workload, string name)
    {
        var maps = workload.Items("spec", "template", "spec", "volumes").Select(v => v.Text("configMap", "name"));
        return Documents(name).Single(d => maps.Contains(d.Text("metadata", "name")) && d.At("data", "proxy.yaml") is not null).Text("data", "proxy.yaml")!;
    }

    private static void AssertNone(IEnumerable<string> findings)
    {
        var all = findings.ToArray();
        Assert.True(all.Length == 0, string.Join('\n', all));
    }

    [GeneratedRegex("/run/secrets/[a-z0-9-]+")]
    private static partial Regex SecretPath();
}
