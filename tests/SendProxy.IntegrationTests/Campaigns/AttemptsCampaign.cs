using System.Globalization;
using SendProxy.IntegrationTests.Egress;
using SendProxy.IntegrationTests.Fleet;
using SendProxy.Sandbox.Idempotency;
using SendProxy.Sandbox.Server;

namespace SendProxy.IntegrationTests.Campaigns;

// Two proxies over one Redis, clumsy callers, a vendor with every fault, proxies that are killed, a Redis that is paused and
// emptied: nothing is sent twice, and what is told is true. Short in every run; long by eng/campaign.sh attempts.
public class AttemptsCampaign
{
    // A lease is total + 5 s: short, so that what a killed proxy held is soon another's.
    private const string Line =
        "timeouts: { attempt: 700ms, total: 2s }, retry: { baseDelay: 5ms, maxDelay: 40ms, budget: 100%, floor: 10000/s }, breaker: { failureRatio: 100%, openFor: 500ms }";

    private static readonly int Sends = Variable("SENDPROXY_CAMPAIGN_SENDS", 120);
    private static readonly int Seed = Variable("SENDPROXY_CAMPAIGN_SEED", Random.Shared.Next(1, 1_000_000));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Attempts_VendorThatDeduplicates_HaveOneEffectAndTellTheTruth()
    {
        await using var fleet = await FleetStage.SetAsync([Line, Line], callTimeout: "50ms", vendor: Vendor(deduplicates: true));
        using var load = new AttemptsLoad(Seed, Sends, fleet.Address);

        var run = await RunAsync("vendor deduplicates", fleet.Vendor, load, deduplicates: true, ChaosAsync(fleet, load, emptied: true));

        Assert.True(run.Broken.Count == 0, run.ToString());
    }

    // Redis alone knows what was sent: it is paused, but not emptied.
    [Fact]
    public async Task Attempts_VendorThatDoesNot_HaveAtMostOneEffectAndTellTheTruth()
    {
        await using var fleet = await FleetStage.SetAsync(
            [$"idempotency: {{ carrier: none }}, {Line}", $"idempotency: {{ carrier: none }}, {Line}"], callTimeout: "50ms", vendor: Vendor(deduplicates: false));
        using var load = new AttemptsLoad(Seed, Sends / 2, fleet.Address);

        var run = await RunAsync("vendor does not deduplicate", fleet.Vendor, load, deduplicates: false, ChaosAsync(fleet, load, emptied: false));

        Assert.True(run.Broken.Count == 0, run.ToString());
    }

    [Theory]
    [InlineData(Flaw.KeyChangedOnEachAttempt)]
    [InlineData(Flaw.RecordWrittenAfterTheAnswer)]
    [InlineData(Flaw.UnkeyedPostRepeated)]
    public async Task Flaw_InAProxy_IsCaught(Flaw flaw)
    {
        var deduplicates = flaw == Flaw.KeyChangedOnEachAttempt;
        await using var vendor = await SandboxServer.StartAsync(Vendor(deduplicates), TimeProvider.System, Token);
        await using var proxy = await NaiveProxy.StartAsync(flaw, vendor.HttpAddress!, Token);
        using var load = new AttemptsLoad(Seed, Math.Min(Sends, 500), _ => proxy.Address);

        var run = await RunAsync($"control: {flaw}", vendor, load, deduplicates, Task.FromResult(new Chaos(0, 0, [])));

        Assert.Contains(run.Broken, b => b.Contains("effects", StringComparison.Ordinal));
    }

    private static async Task<Run> RunAsync(string name, SandboxServer vendor, AttemptsLoad load, bool deduplicates, Task<Chaos> chaos)
    {
        var start = TimeProvider.System.GetTimestamp();
        await load.RunAsync(Token);
        var told = load.Calls.ToArray();
        var done = await chaos;
        var settled = await load.SettleAsync(Token);
        var run = new Run(name, told, settled, vendor.Ledger.Effects, vendor.Requests.Arrived, done, TimeProvider.System.GetElapsedTime(start),
            AttemptsJudge.Judge(vendor.Ledger, load.Calls, settled, done.Losses, deduplicates));
        TestContext.Current.TestOutputHelper?.WriteLine(run.ToString());
        if (Environment.GetEnvironmentVariable("SENDPROXY_CAMPAIGN_REPORT") is { Length: > 0 } report)
        {
            await File.AppendAllTextAsync(report, run + "\n", Token);
        }

        return run;
    }

    // A kill by turns with a Redis that stands still for a moment and, where it may, forgets everything every other time.
    private static async Task<Chaos> ChaosAsync(FleetStage fleet, AttemptsLoad load, bool emptied)
    {
        var random = new Random(Seed);
        var (kills, pauses, losses) = (0, 0, new List<DateTimeOffset>());
        var step = Math.Clamp(load.Sends / 6, 10, 250);
        for (var next = step; next < load.Sends && load.Begun < load.Sends;)
        {
            if (load.Begun < next)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
                continue;
            }

            next += step;
            if (kills <= pauses)
            {
                await fleet.KillAndRestartAsync(random.Next(2));
                kills++;
                continue;
            }

            fleet.Redis.Pause();
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(20, 1500)), TimeProvider.System, Token);
            fleet.Redis.Resume();
            if (pauses++ % 2 == 0 && emptied)
            {
                await fleet.Redis.EmptyAsync();
                losses.Add(TimeProvider.System.GetUtcNow());
            }
        }

        return new Chaos(kills, pauses, losses);
    }

    private static SandboxOptions Vendor(bool deduplicates) => new()
    {
        Keys = [EgressStage.Key],
        Idempotency = new() { Mode = deduplicates ? IdempotencyMode.Strict : IdempotencyMode.Ignored },
    };

    private static int Variable(string name, int fallback) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : fallback;

    private sealed record Chaos(int Kills, int Pauses, IReadOnlyList<DateTimeOffset> Losses);

    private sealed record Run(
        string Name, IReadOnlyCollection<Call> Told, IReadOnlyList<Call> Settled, long Effects, long Arrived, Chaos Chaos, TimeSpan Took, IReadOnlyList<string> Broken)
    {
        public override string ToString()
        {
            var counts = string.Join(", ", Told.GroupBy(c => c.Told).OrderBy(g => g.Key).Select(g => $"{g.Count()} {g.Key}"));
            var ends = string.Join(", ", Settled.GroupBy(c => c.Told).OrderBy(g => g.Key).Select(g => $"{g.Count()} {g.Key}"));
            return string.Create(CultureInfo.InvariantCulture,
                $"{Name}: seed {Seed}; {Told.DistinctBy(c => c.Intent).Count()} messages, {Told.Count} calls in {Took.TotalSeconds:0} s ({counts}); {Chaos.Kills} kills, {Chaos.Pauses} pauses and {Chaos.Losses.Count} losses of Redis; "
                + $"{Arrived} requests at the vendor, {Effects} effects; {Settled.Count} asked again ({ends}); {Broken.Count} broken promises{(Broken.Count == 0 ? "" : ": ")}")
                + string.Join("; ", Broken.Take(10));
        }
    }
}
