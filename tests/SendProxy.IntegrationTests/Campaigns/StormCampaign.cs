using System.Globalization;
using Microsoft.AspNetCore.Http;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Campaigns;

// A vendor that is down under full load: retries must not flood it, and who is refused learns so at once. Short in every run;
// long by eng/campaign.sh storm, which sets the variables.
public class StormCampaign
{
    private const double Ratio = 0.2;
    private const int FloorPerSecond = 10;

    // The breaker opens when all fail: one answer in so many keeps it closed, and the budget alone must hold.
    private const int OneIn = 10;
    private const string NeverOpen = "breaker: { failureRatio: 100% }";

    private static readonly int PerSecond = Variable("SENDPROXY_CAMPAIGN_RATE", 100);
    private static readonly TimeSpan For = TimeSpan.FromSeconds(Variable("SENDPROXY_CAMPAIGN_SECONDS", 2));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Storm_VendorResetsConnections_GetsAtMostTheBudget()
    {
        await using var vendor = new WireVendor(c =>
        {
            c.Reset();
            return Task.CompletedTask;
        });

        var run = await RunAsync("every connection reset", vendor.Address, "", () => vendor.Connections);

        Assert.True(run.Arrived <= run.Bound, run.ToString());
        Assert.True(run.Refused > 0, run.ToString());
    }

    [Theory]
    [InlineData("every answer 503 but the first", int.MaxValue, "")]
    [InlineData("503 but for one in ten, breaker never open", OneIn, NeverOpen)]
    public async Task Storm_VendorAnswers503_GetsAtMostTheBudget(string name, int oneIn, string settings)
    {
        await using var vendor = await FailingAsync(oneIn);

        var run = await RunAsync(name, vendor.Address, settings, () => vendor.Requests.Count);

        Assert.True(run.Arrived <= run.Bound, run.ToString());
    }

    // The negative control: the same without a budget is a storm, and is counted as one.
    [Fact]
    public async Task Storm_WithoutBudget_IsCaught()
    {
        await using var vendor = await FailingAsync(OneIn);

        var run = await RunAsync("control: no budget", vendor.Address, $"{NeverOpen}, retry: {{ baseDelay: 20ms, budget: 100%, floor: 10000/s }}", () => vendor.Requests.Count);

        Assert.True(run.Arrived > run.Bound, run.ToString());
    }

    private static Task<Destination> FailingAsync(int oneIn)
    {
        var asked = 0;
        return Destination.StartAsync(Token, answer: (_, context) =>
        {
            context.Response.StatusCode = Interlocked.Increment(ref asked) % oneIn == 1 ? 202 : 503;
            return context.Response.WriteAsync("{}", Token);
        });
    }

    private static async Task<Run> RunAsync(string name, Uri vendor, string settings, Func<int> arrived)
    {
        var retry = settings.Contains("retry:", StringComparison.Ordinal) ? "" : "retry: { baseDelay: 20ms }, ";
        using var folder = new ProxyFolder().Write("key", EgressStage.Key)
            .Configure(EgressStage.Config(vendor, retry + settings, "process: { maxInFlight: 20000 }"));
        var born = TimeProvider.System.GetTimestamp();
        await using var proxy = await ProxyProcess.StartAsync(folder, Token);
        await using var load = OpenLoad.Start(proxy.Address("egress"), PerSecond);
        var start = TimeProvider.System.GetTimestamp();
        await Task.Delay(For, TimeProvider.System, Token);
        await load.StopAsync();
        var run = new Run(name, load.Sent, arrived(), TimeProvider.System.GetElapsedTime(start), TimeProvider.System.GetElapsedTime(born), load.Times("upstream_breaker_open"));
        TestContext.Current.TestOutputHelper?.WriteLine(run.ToString());
        if (Environment.GetEnvironmentVariable("SENDPROXY_CAMPAIGN_REPORT") is { Length: > 0 } report)
        {
            await File.AppendAllTextAsync(report, run + "\n", Token);
        }

        return run;
    }

    private static int Variable(string name, int fallback) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : fallback;

    /// <param name="Arrived">Connections or requests at the vendor, the first attempts included.</param>
    /// <param name="Lived">The proxy's time.</param>
    /// <param name="Refusals">How long each took that was refused under an open breaker, in order.</param>
    private sealed record Run(string Name, long Sent, long Arrived, TimeSpan Took, TimeSpan Lived, TimeSpan[] Refusals)
    {
        public int Refused => Refusals.Length;

        // The bucket begins with one second of its floor, and fills from the process' start.
        public double Bound => Math.Floor((Sent * (1 + Ratio)) + (FloorPerSecond * (Lived.TotalSeconds + 1)));

        public override string ToString() => string.Create(CultureInfo.InvariantCulture,
            $"{Name}: {Sent} requests in {Took.TotalSeconds:0.0} s, {Arrived} arrived ({(double)Arrived / Sent:0.00} for each; at most {Bound:0}); {Refused} refused by the open breaker{Times}");

        private string Times => Refused == 0 ? "" : $" in {Ms(0.5)} ms (p50), {Ms(0.99)} ms (p99), {Ms(1)} ms (max)";

        private string Ms(double share) =>
            Refusals[Math.Min(Refused - 1, (int)(Refused * share))].TotalMilliseconds.ToString("0.00", CultureInfo.InvariantCulture);
    }
}
