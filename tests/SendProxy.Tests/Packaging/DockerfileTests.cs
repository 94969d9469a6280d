using SendProxy.Tests.Tidy;

namespace SendProxy.Tests.Packaging;

// There is no container engine where these run: facts about the text, not about an image. docs/KUBERNETES.md says what that leaves open.
public class DockerfileTests
{
    private static readonly (string Name, string Text)[] All = Instructions();
    private static readonly (string Name, string Text)[] Final = All[Array.FindLastIndex(All, i => i.Name == "FROM")..];

    [Fact]
    public void Bases_All_ArePinnedByTag() => Assert.All(All.Where(i => i.Name == "FROM"), i =>
    {
        var tag = i.Text.Split(' ')[0].Split(':')[1];
        Assert.StartsWith("10.0-", tag, StringComparison.Ordinal);
    });

    [Fact]
    public void FinalStage_Base_HasNoShell() => Assert.Contains("-chiseled", Final[0].Text, StringComparison.Ordinal);

    [Fact]
    public void FinalStage_HasNothingThatNeedsAShell() => Assert.DoesNotContain(Final, i => i.Name is "RUN" or "SHELL" || (i.Name is "ENTRYPOINT" or "CMD" && !i.Text.StartsWith('[')));

    [Fact]
    public void FinalStage_User_IsTheBasesOwn() => Assert.Equal("$APP_UID", Assert.Single(Final, i => i.Name == "USER").Text);

    [Fact]
    public void FinalStage_Dumps_AreOff() => Assert.Contains(Final, i => i.Name == "ENV" && i.Text.Contains("DOTNET_DbgEnableMiniDump=0", StringComparison.Ordinal));

    [Fact]
    public void FinalStage_Entrypoint_IsThePublishedExecutable()
    {
        Assert.Equal("[\"/app/sendproxy\"]", Assert.Single(Final, i => i.Name == "ENTRYPOINT").Text);
        Assert.Contains(Final, i => i is { Name: "COPY", Text: "--from=build /app /app" });
        Assert.Contains("<AssemblyName>sendproxy</AssemblyName>", SourceTree.Read("src/SendProxy/SendProxy.csproj"), StringComparison.Ordinal);
    }

    [Fact]
    public void FinalStage_Environment_IsWhatTheChartSays() => Assert.Contains(
        "SENDPROXY_CONFIG=/etc/sendproxy/proxy.yaml", Assert.Single(Final, i => i.Name == "ENV").Text, StringComparison.Ordinal);

    [Fact]
    public void Copies_EachSource_ExistsAndIsLetThrough()
    {
        var let = File.ReadAllLines(Path.Combine(SourceTree.Root, ".dockerignore")).Where(l => l.StartsWith('!')).Select(l => l[1..]).ToArray();
        var sources = All.Where(i => i.Name == "COPY" && !i.Text.Contains("--from", StringComparison.Ordinal)).SelectMany(i => i.Text.Split(' ')[..^1]).ToArray();

        Assert.NotEmpty(sources);
        Assert.All(sources, s => Assert.True(Path.Exists(Path.Combine(SourceTree.Root, s)), $"{s} does not exist"));
        Assert.All(sources, s => Assert.True(let.Any(l => s == l || s.StartsWith(l + "/", StringComparison.Ordinal)), $".dockerignore keeps {s} out"));
    }

    [Fact]
    public void Restore_ComesBeforeTheSources_AndIsLocked()
    {
        var restore = Array.FindIndex(All, i => i.Name == "RUN" && i.Text.Contains("dotnet restore", StringComparison.Ordinal));
        var sources = Array.FindIndex(All, i => i is { Name: "COPY", Text: "src/SendProxy src/SendProxy" });

        Assert.InRange(restore, 0, sources);
        Assert.Contains("--locked-mode", All[restore].Text, StringComparison.Ordinal);
        Assert.Contains(All[..restore], i => i.Name == "COPY" && i.Text.Contains("packages.lock.json", StringComparison.Ordinal));
    }

    private static (string Name, string Text)[] Instructions() =>
    [
        .. SourceTree.Read("Dockerfile").Replace("\\\n", " ", StringComparison.Ordinal).Split('\n')
            .Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#')
            .Select(l => (l.Split(' ')[0], l[(l.IndexOf(' ', StringComparison.Ordinal) + 1)..].Trim())),
    ];
}
