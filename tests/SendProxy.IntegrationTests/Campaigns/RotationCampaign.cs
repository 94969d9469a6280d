using System.Globalization;
using SendProxy.IntegrationTests.Egress;
using SendProxy.Sandbox.Keys;
using SendProxy.Sandbox.Server;

namespace SendProxy.IntegrationTests.Campaigns;

// Keys are rotated under load: no request may fail, and the new key is in use within 5 s. Short in every run; long by
// eng/campaign.sh rotation, which sets the variables.
public class RotationCampaign
{
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(5);
    private static readonly int PerSecond = Variable("SENDPROXY_CAMPAIGN_RATE", 50);
    private static readonly TimeSpan For = TimeSpan.FromSeconds(Variable("SENDPROXY_CAMPAIGN_SECONDS", 1));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Ways => [.. Rotation.Ways];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Rotation_UnderLoad_FailsNoRequest(string way)
    {
        var run = await RunAsync(way, withdrawFirst: false);

        Assert.True(run.Failures.Count == 0, $"{run.Failures.Count} of {run.Sent} requests failed, the first: {run.Failures.FirstOrDefault()}");
        Assert.True(run.Sent > 0 && run.Sent == run.Answered, $"{run.Answered} of {run.Sent} requests were answered");
        Assert.All(run.UntilUsed, u => Assert.InRange(u, TimeSpan.Zero, Within));
    }

    // The negative control: the old key withdrawn before the new one is mounted is an outage, and is counted as one.
    [Fact]
    public async Task Rotation_OldKeyWithdrawnFirst_IsCaught()
    {
        var run = await RunAsync("write", withdrawFirst: true);

        Assert.Contains(run.Failures, f => f.Contains("credential_rejected", StringComparison.Ordinal));
    }

    private static async Task<Run> RunAsync(string way, bool withdrawFirst)
    {
        await using var vendor = await SandboxServer.StartAsync(new SandboxOptions { Keys = [Key(0)] }, TimeProvider.System, Token);
        using var folder = new ProxyFolder();
        var rotation = Rotation.Of(way, folder);
        await rotation.MountAsync(Key(0), null, Token);
        folder.Configure(EgressStage.Config(vendor.HttpAddress!, more: "process: { maxInFlight: 20000 }", credential: rotation.Credential));
        await using var proxy = await ProxyProcess.StartAsync(folder, Token);
        await using var load = OpenLoad.Start(proxy.Address("egress"), PerSecond);
        await vendor.Ledger.ReachAsync(1, Token);

        var used = new List<TimeSpan>();
        var start = TimeProvider.System.GetTimestamp();
        do
        {
            var (old, key) = (Key(used.Count), Key(used.Count + 1));
            vendor.Keys.Replace(withdrawFirst ? [key] : [old, key]);
            if (withdrawFirst)
            {
                // Long enough for one message at the least to meet it.
                await vendor.Requests.ReachAsync(vendor.Requests.Arrived + PerSecond, Token);
            }

            var mounted = TimeProvider.System.GetTimestamp();
            await rotation.MountAsync(key, old, Token);
            await FirstUseAsync(vendor, ApiKeys.Fingerprint(key));
            used.Add(TimeProvider.System.GetElapsedTime(mounted));
            vendor.Keys.Replace([key]);
        }
        while (TimeProvider.System.GetElapsedTime(start) < For);

        await load.StopAsync();
        var run = new Run(load.Sent, load.Answered, load.TriedAgain, load.Failures, used, TimeProvider.System.GetElapsedTime(start));
        await ReportAsync(withdrawFirst ? $"{way}, old key withdrawn first (control)" : way, run);
        return run;
    }

    private static string Key(int number) => string.Create(CultureInfo.InvariantCulture, $"sk_live_rotation{number:0000}abcdef");

    private static async Task FirstUseAsync(SandboxServer vendor, string fingerprint)
    {
        var seen = vendor.Ledger.Effects;
        while (true)
        {
            var next = vendor.Ledger.Read(seen);
            if (next.Any(e => e.KeyFingerprint == fingerprint))
            {
                return;
            }

            seen = next.Count > 0 ? next[^1].Number : seen;
            await vendor.Ledger.ReachAsync(seen + 1, Token).WaitAsync(ProxyProcess.Guard, Token);
        }
    }

    private static async Task ReportAsync(string way, Run run)
    {
        var line = string.Create(CultureInfo.InvariantCulture,
            $"{way}: {run.Sent} requests in {run.Took.TotalSeconds:0.0} s, {run.Failures.Count} failed, {run.TriedAgain} tried again; {run.UntilUsed.Count} rotations, "
            + $"new key used after {run.UntilUsed.Min().TotalSeconds:0.00} to {run.UntilUsed.Max().TotalSeconds:0.00} s");
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        if (Environment.GetEnvironmentVariable("SENDPROXY_CAMPAIGN_REPORT") is { Length: > 0 } report)
        {
            await File.AppendAllTextAsync(report, line + "\n", Token);
        }
    }

    private static int Variable(string name, int fallback) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : fallback;

    private sealed record Run(
        long Sent, long Answered, long TriedAgain, IReadOnlyCollection<string> Failures, IReadOnlyList<TimeSpan> UntilUsed, TimeSpan Took);
}
