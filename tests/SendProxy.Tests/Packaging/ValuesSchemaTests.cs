using System.Text.Json;
using SendProxy.Tests.Tidy;

namespace SendProxy.Tests.Packaging;

public class ValuesSchemaTests
{
    private static readonly JsonDocument Schema = JsonDocument.Parse(SourceTree.Read("helm/sendproxy/values.schema.json"));

    [Fact]
    public void Schema_DefaultValues_AllAreKnownAndFit() => Assert.Empty(Findings(SourceTree.Read("helm/sendproxy/values.yaml")));

    // Those of the goldens give parts of a configuration, which helm checks only when they are merged into the defaults.
    [Theory]
    [InlineData("defaults")]
    [InlineData("gateway")]
    [InlineData("sidecar")]
    [InlineData("sidecar-plain")]
    public void Schema_ValuesOfTheGoldens_AllAreKnownAndFit(string name) =>
        Assert.All(Findings(SourceTree.Read($"helm/goldens/{name}.values.yaml")), f => Assert.Contains(".config.", f, StringComparison.Ordinal));

    [Theory]
    [InlineData("gatway: {}", ".gatway: is unknown")]
    [InlineData("gateway: { replicas: two }", ".gateway.replicas: is string, must be integer")]
    [InlineData("gateway: { replicas: -1 }", ".gateway.replicas: is out of bounds")]
    [InlineData("image: { pullPolicy: Sometimes }", ".image.pullPolicy: is none of Always, IfNotPresent, Never")]
    [InlineData("sidecar: { secrets: [{ name: a }] }", ".sidecar.secrets[0].secretName: is required")]
    [InlineData("commonLabels: { a: 1 }", ".commonLabels.a: is integer, must be string")]
    public void Schema_WrongValue_IsFound(string values, string finding) => Assert.Equal([finding], Findings(values));

    private static IEnumerable<string> Findings(string yaml) => Yaml.Documents(yaml).SelectMany(d => ValuesSchema.Check(d, Schema.RootElement));
}
