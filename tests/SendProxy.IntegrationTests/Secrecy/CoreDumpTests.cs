using System.Globalization;
using System.Text;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Secrecy;

// The kernel is asked for no core file and for no reader of the memory; each with a control in which the setting allows it.
public class CoreDumpTests
{
    private static readonly string[] Unlimited = ["bash", "-c", "ulimit -c unlimited; exec \"$@\"", "--"];
    private static readonly string[] Nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("-ABRT")]
    [InlineData("-SEGV")]
    public async Task Crash_UnlimitedCores_LeavesNoFileAndTellsNoKey(string signal)
    {
        using var folder = Folder("");
        await using var proxy = await ProxyProcess.StartAsync(folder, Unlimited, Token);
        Assert.Matches("Max core file size +0 +0", await LimitsAsync(proxy));

        Assert.NotEqual(0, await CrashAsync(proxy, signal));

        Assert.Empty(Directory.GetFiles(folder.Path, "core*"));
        Assert.DoesNotContain(proxy.Output, l => l.Contains(EgressStage.Key, StringComparison.Ordinal));
    }

    // The negative control: where dumps are allowed, this machine writes one, and the key is in it.
    [Fact]
    public async Task Crash_AllowedCores_LeavesAFileWithTheKey()
    {
        var pattern = (await File.ReadAllTextAsync("/proc/sys/kernel/core_pattern", Token)).Trim();
        Assert.SkipUnless(pattern == "core", $"core_pattern is {pattern}: cores do not land in the working directory");
        using var folder = Folder("process: { allowCoreDumps: true }");
        await using var proxy = await ProxyProcess.StartAsync(folder, Unlimited, Token);
        Assert.SkipUnless((await LimitsAsync(proxy)).Contains("Max core file size        unlimited", StringComparison.Ordinal), "this machine does not let cores be unlimited");

        await CrashAsync(proxy, "-ABRT");

        var core = Assert.Single(Directory.GetFiles(folder.Path, "core*"));
        Assert.True(Holds(core, Encoding.Unicode.GetBytes(EgressStage.Key)), "the key is not in the core file: the hunt is blind");
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("process: { allowCoreDumps: true }", true)]
    public async Task Memory_OtherProcessOfTheSameUser_ReadsItOnlyWhereAllowed(string more, bool readable)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess && File.Exists("/usr/bin/setpriv"), "needs root, to become another user, and setpriv");
        using var folder = Folder(more);
        await ProxyProcess.RunAsync(folder, ["chown", "-R", "65534:65534", folder.Path], Token);
        await using var proxy = await ProxyProcess.StartAsync(folder, Nobody, Token);

        var id = proxy.Id.ToString(CultureInfo.InvariantCulture);
        var (code, output) = await ProxyProcess.RunAsync(folder, [.. Nobody, "head", "-c", "0", $"/proc/{id}/mem"], Token);
        var (environ, _) = await ProxyProcess.RunAsync(folder, [.. Nobody, "cat", $"/proc/{id}/environ"], Token);

        Assert.Equal((readable, readable), (code == 0, environ == 0));
        Assert.Equal(!readable, output.Contains("Permission denied", StringComparison.Ordinal));
    }

    private static ProxyFolder Folder(string more) =>
        new ProxyFolder().Configure(EgressStage.Config(new Uri("http://127.0.0.1:9"), "", more)).Write("key", EgressStage.Key);

    // CoreCLR's own handler puts back the default action at the first signal from outside and goes on; the second one ends it.
    private static Task<int> CrashAsync(ProxyProcess proxy, string signal)
    {
        proxy.Signal(signal);
        proxy.Signal(signal);
        return proxy.WaitForExitAsync(Token);
    }

    private static Task<string> LimitsAsync(ProxyProcess proxy) =>
        File.ReadAllTextAsync($"/proc/{proxy.Id.ToString(CultureInfo.InvariantCulture)}/limits", Token);

    private static bool Holds(string path, byte[] what)
    {
        using var file = File.OpenRead(path);
        var buffer = new byte[4 << 20];
        var kept = 0;
        while (file.Read(buffer, kept, buffer.Length - kept) is var read and > 0)
        {
            if (buffer.AsSpan(0, kept + read).IndexOf(what) >= 0)
            {
                return true;
            }

            var end = kept + read;
            kept = Math.Min(what.Length - 1, end);
            buffer.AsSpan(end - kept, kept).CopyTo(buffer);
        }

        return false;
    }
}
