using System.Diagnostics;

namespace SendProxy.IntegrationTests.Demo;

// The first command a newcomer types, as a process, on the binary under test.
public class DemoTests
{
    [Fact]
    public async Task Demo_WorkingProxy_TellsTheStoryAndExitsZero()
    {
        var (exit, output) = await RunAsync("nothing");

        Assert.True(exit == 0, output);
        Assert.Contains("All of it is true.", output, StringComparison.Ordinal);
        Assert.DoesNotContain("NO ", output, StringComparison.Ordinal);
    }

    // Fedora, Arch and others have /tmp in memory.
    [Fact]
    public async Task Demo_TemporaryFolderInMemory_WorksToo()
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm"), "There is no tmpfs here.");

        var (exit, output) = await RunAsync("nothing", temporary: "/dev/shm");

        Assert.True(exit == 0, output);
    }

    [Theory]
    [InlineData("wrong-key", "NO   3 sends without a key")]
    [InlineData("wrong-webhook-secret", "NO   9 signed webhooks")]
    [InlineData("limiter-off", "NO   a burst of 20")]
    public async Task Demo_BrokenProxy_SaysWhatIsNotTrue(string breakage, string expected)
    {
        var (exit, output) = await RunAsync(breakage);

        Assert.Equal(1, exit);
        Assert.Contains(expected, output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Demo_NoProxy_SaysHowToGetOne()
    {
        var (exit, output) = await RunAsync("nothing", proxy: "/nowhere/sendproxy");

        Assert.Equal(1, exit);
        Assert.Contains("Build it (dotnet build), or name it with --proxy", output, StringComparison.Ordinal);
    }

    private static async Task<(int Exit, string Output)> RunAsync(string breakage, string? proxy = null, string? temporary = null)
    {
        var sandbox = Path.Combine(AppContext.BaseDirectory, "sendproxy-sandbox");
        var start = new ProcessStartInfo(sandbox, ["demo", "--break", breakage, "--proxy", proxy ?? ProxyProcess.Binary]) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (temporary is not null)
        {
            start.Environment["TMPDIR"] = temporary;
        }

        using var process = Process.Start(start)!;
        var token = TestContext.Current.CancellationToken;
        var output = await Task.WhenAll(process.StandardOutput.ReadToEndAsync(token), process.StandardError.ReadToEndAsync(token)).WaitAsync(ProxyProcess.Guard, token);
        await process.WaitForExitAsync(token);
        return (process.ExitCode, string.Concat(output));
    }
}
