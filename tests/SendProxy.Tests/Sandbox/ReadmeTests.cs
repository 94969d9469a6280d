using System.CommandLine;
using SendProxy.Sandbox.Cli;
using SendProxy.Sandbox.Faults;

namespace SendProxy.Tests.Sandbox;

public class ReadmeTests
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Root(), "src/SendProxy.Sandbox/README.md"));

    [Fact]
    public void FaultTable_EachKind_HasItsLine() => Assert.All(
        FaultCatalog.All,
        kind => Assert.Contains($"| `{kind.Name}` | `{kind.Phone}` | {kind.About} |", Text, StringComparison.Ordinal));

    [Fact]
    public void OptionsTable_EachOption_IsNamed()
    {
        var command = new Command("serve");
        new ServeOptions().AddTo(command);

        Assert.All(command.Options, o => Assert.Contains($"`{o.Name}`", Text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task AddressTable_EachAddress_IsNamed()
    {
        await using var client = await SandboxClient.StartAsync();

        var addresses = (await client.GetAsync("/sandbox")).GetProperty("addresses").EnumerateArray();

        Assert.All(
            addresses.Select(a => a.GetString()!.Split(' ')[1].Replace("/*", "/{id}", StringComparison.Ordinal)),
            path => Assert.Contains(path, Text, StringComparison.Ordinal));
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SendProxy.sln"))) { folder = folder.Parent!; }
        return folder.FullName;
    }
}
