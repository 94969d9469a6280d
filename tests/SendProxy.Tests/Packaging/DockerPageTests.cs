using SendProxy.Tests.Configuration;
using SendProxy.Tests.Tidy;

namespace SendProxy.Tests.Packaging;

// docs/DOCKER.md is what a newcomer copies.
public sealed class DockerPageTests : IDisposable
{
    private static readonly string Page = SourceTree.Read("docs/DOCKER.md");

    private readonly SettingsFile _file = new();

    private static string[] Blocks => [.. Page.Split("```yaml\n").Skip(1).Select(b => b.Split("```")[0])];

    [Fact]
    public void Configurations_OfThePage_AreGoodAndWarnOfNothing()
    {
        var configurations = Blocks.Where(b => b.Contains("version: 1", StringComparison.Ordinal)).ToArray();

        Assert.Equal(2, configurations.Length);
        Assert.All(configurations, c => Assert.Empty(_file.Errors(c)));
        Assert.All(configurations, c => Assert.Empty(SettingsWarnings.Of(_file.Load(c))));
    }

    [Fact]
    public void Places_OfThePage_AreTheDockerfiles()
    {
        var docker = SourceTree.Read("Dockerfile");
        var compose = Blocks.Single(b => b.Contains("services:", StringComparison.Ordinal));

        Assert.Contains("SENDPROXY_CONFIG=/etc/sendproxy/proxy.yaml", docker, StringComparison.Ordinal);
        Assert.Contains(":/etc/sendproxy:ro", compose, StringComparison.Ordinal);
        Assert.Contains("VOLUME /var/lib/sendproxy", docker, StringComparison.Ordinal);
        Assert.Contains("journal:/var/lib/sendproxy", compose, StringComparison.Ordinal);
        Assert.Contains("--chown=1654:1654", docker, StringComparison.Ordinal);
        Assert.Contains("chown -R 1654", Page, StringComparison.Ordinal);
        Assert.Contains("ENTRYPOINT [\"/app/sendproxy\"]", docker, StringComparison.Ordinal);
        Assert.Contains("exec sendproxy /app/sendproxy check", Page, StringComparison.Ordinal);
    }

    public void Dispose() => _file.Dispose();
}
