using System.Globalization;
using System.Text;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Secrecy;

// Crashes, commands and /proc. Each hunt is shown by a control that it finds a key where one is.
public class KeyHuntTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("-ABRT", "debug")]
    [InlineData("-SEGV", "debug")]
    [InlineData("-QUIT", "info")]
    public async Task Crash_AfterSends_TellsNoKey(string signal, string level)
    {
        await using var stage = await EgressStage.SetAsync(more: $$"""telemetry: { log: { level: {{level}} } }""");
        using var answer = await stage.SendAsync(headers: ("X-Sandbox-Fault", "key-echo"));

        stage.Proxy.Signal(signal);
        stage.Proxy.Signal(signal);
        await stage.Proxy.WaitForExitAsync(Token);

        KeyHunt.AssertHidden(stage.Proxy);
        foreach (var file in Directory.GetFiles(stage.Folder.Path).Where(f => Path.GetFileName(f) != "key"))
        {
            KeyHunt.AssertHidden(file, await File.ReadAllBytesAsync(file, Token));
        }
    }

    // A debug build throws on SIGUSR2, with everything that holds keys in the message.
    [Fact]
    public async Task UnhandledException_OverEveryHolderOfKeys_TellsNoKey()
    {
        await using var stage = await EgressStage.SetAsync(more: "telemetry: { log: { level: debug } }");
        using var answer = await stage.SendAsync();

        stage.Proxy.Signal("-USR2");
        await stage.Proxy.WaitForExitAsync(Token);

        Assert.SkipUnless(stage.Proxy.Output.Any(l => l.Contains("planted defect", StringComparison.Ordinal)), "only a debug build has the planted defect");
        Assert.Contains(stage.Proxy.Output, l => l.Contains("***", StringComparison.Ordinal));
        KeyHunt.AssertHidden(stage.Proxy);
    }

    [Theory]
    [InlineData("credentials")]
    [InlineData("credentials", "--output", "json")]
    [InlineData("check")]
    [InlineData("check", "--output", "json")]
    [InlineData("version")]
    public async Task Command_OnARunningProxy_TellsNoKey(params string[] command)
    {
        await using var stage = await EgressStage.SetAsync();
        using var answer = await stage.SendAsync();
        await using var run = ProxyProcess.Launch(stage.Folder, command);

        Assert.Equal(0, await run.WaitForExitAsync(Token));

        KeyHunt.AssertHidden(run);
    }

    [Fact]
    public async Task Environment_KeyFromAFile_HoldsNoKey()
    {
        await using var stage = await EgressStage.SetAsync();
        using var answer = await stage.SendAsync();
        var process = $"/proc/{stage.Proxy.Id.ToString(CultureInfo.InvariantCulture)}";

        Assert.SkipUnless(Environment.IsPrivilegedProcess, "the proxy closes its /proc to this user; only root may look");
        KeyHunt.AssertHidden("environ", await File.ReadAllBytesAsync($"{process}/environ", Token));
        KeyHunt.AssertHidden("cmdline", await File.ReadAllBytesAsync($"{process}/cmdline", Token));
    }

    // The control: a process that does log the header is found by the same hunt.
    [Fact]
    public async Task Hunt_ProcessThatLogsTheHeader_IsFound()
    {
        using var folder = new ProxyFolder();
        var (_, output) = await ProxyProcess.RunAsync(folder, ["echo", $$"""{"Authorization":"Bearer {{EgressStage.Key}}"}"""], Token);

        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => KeyHunt.AssertHidden("its output", output));
    }

    [Fact]
    public void Hunt_EachForm_IsFound()
    {
        var key = Encoding.UTF8.GetBytes(EgressStage.Key);
        byte[][] planted =
        [
            Encoding.UTF8.GetBytes($"x{EgressStage.Key}x"), Encoding.Unicode.GetBytes(EgressStage.Key),
            Encoding.UTF8.GetBytes("Basic " + Convert.ToBase64String(key)), Encoding.UTF8.GetBytes(Convert.ToHexStringLower(key)),
        ];

        Assert.All(planted, p => Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => KeyHunt.AssertHidden("here", p)));
    }
}
