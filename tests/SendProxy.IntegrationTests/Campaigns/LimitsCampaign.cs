using System.Globalization;
using SendProxy.Sandbox.Answers;
using SendProxy.Tests.Redis;

namespace SendProxy.IntegrationTests.Campaigns;

// The bars of docs/RATE-LIMITS.md with real processes, a real Redis and a vendor that counts exactly. Short in every run; long by
// eng/campaign.sh limits, which sets the variables. What two cores cannot run is in FleetSimulationTests.
public class LimitsCampaign
{
    private static readonly int Seconds = Variable("SENDPROXY_CAMPAIGN_SECONDS", 2);
    private static readonly int Proxies = Variable("SENDPROXY_CAMPAIGN_PROXIES", 3);
    private static readonly int Rate = Variable("SENDPROXY_CAMPAIGN_RATE", 100);
    private static readonly int Burst = Rate / 5;
    private static readonly string Plan = $"{{ rate: {Rate}/s, counts: bucket, burst: {Burst}, maxWait: 2s }}";
    private static readonly bool IsLong = Seconds > 10;

    // On a busy machine a short run may lose some of the plan to its scheduler: the long run's figures are what the bars are about.
    private static readonly double Most = IsLong ? 0.99 : 0.9;

    private static TimeSpan Length => TimeSpan.FromSeconds(Seconds);

    [Theory]
    [InlineData(true, 1.5)]
    [InlineData(false, 1.5)]
    [InlineData(false, 3)]
    public async Task Bar1_Saturated_UsesThePlanWithoutRefusal(bool alone, double load)
    {
        await using var stage = await LimitsStage.SetAsync(alone ? 1 : Proxies, LimitsStage.Bucket(Rate, Burst), Plan);

        var run = await stage.RunAsync(Name("1", $"{stage.Fleet.Count} at {load} R"), load * Rate, Length);

        Assert.True(run is { Refusals: 0, Broken: 0, Failed: [] }, run.ToString());
        Assert.True(run.Use >= Most && run.LargestSecond <= Rate + Burst, run.ToString());
        Assert.True(run.CallsPerSend <= 2.5, run.ToString());
        Assert.Equal(0, run.Lost("otp"));
    }

    [Fact]
    public async Task Bar1_FixedWindow_IsNeverOverrun()
    {
        await using var stage = await LimitsStage.SetAsync(
            Proxies, LimitsStage.Window(Rate, 1, phaseMs: 370), $"{{ rate: {Rate}/s, maxWait: 2s }}");

        var run = await stage.RunAsync(Name("1", $"{Proxies} at 1.5 R, window of 1 s"), 1.5 * Rate, Length);

        Assert.True(run is { Refusals: 0, Failed: [] }, run.ToString());

        // An unknown phase leaves 88 %: more is had only by counting in the vendor's own windows.
        Assert.True(Seconds < 30 || run.Use >= 0.9, run.ToString());
        Assert.True(run.Use >= (IsLong ? 0.83 : 0.75), run.ToString());
    }

    [Fact]
    public async Task Bar1_CountsAuto_SeesTheBucketAndUsesIt()
    {
        await using var stage = await LimitsStage.SetAsync(
            Proxies, LimitsStage.Bucket(Rate, Burst), $"{{ rate: {Rate}/s, counts: auto, maxWait: 2s }}", new RateHeaderOptions { Reset = ResetForm.Decimal });

        var run = await stage.RunAsync(Name("1", $"{Proxies} at 1.5 R, counts: auto before a bucket"), 1.5 * Rate, Length);

        // What is safe for a bucket and windows of unknown phase leaves 88 %.
        Assert.True(run is { Refusals: 0, Failed: [] }, run.ToString());
        Assert.True(run.Use >= (IsLong ? 0.95 : 0.75), run.ToString());
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.95)]
    public async Task Bar2And3_Room_NobodyWaitsForRedis(double load)
    {
        await using var stage = await LimitsStage.SetAsync(Proxies, LimitsStage.Bucket(Rate, Burst), Plan);

        var run = await stage.RunAsync(Name("2, 3", $"{Proxies} at {load} R"), load * Rate, Length);

        Assert.True(run is { Refusals: 0, Failed: [] }, run.ToString());
        Assert.True(run.CallsPerSend <= (load < 0.5 ? 1.1 : 1.5), run.ToString());
        Assert.True(load > 0.5 || run.Unwaited >= 0.9, run.ToString());
        Assert.True(!IsLong || run.Wait(.5) <= 1, run.ToString());
    }

    [Fact]
    public async Task Bar3_OneProxyWithMuchRoom_AsksRedisSeldom()
    {
        await using var stage = await LimitsStage.SetAsync(1, LimitsStage.Bucket(5000, 1000), "{ rate: 5000/s, counts: bucket, burst: 1000 }");

        var run = await stage.RunAsync(Name("3", "1 at 1,000/s of 5,000/s"), 1000, Length);

        Assert.True(run is { Refusals: 0, Failed: [] }, run.ToString());
        Assert.True(run.CallsPerSend <= 0.2, run.ToString());
    }

    [Theory]
    [InlineData("paused", 1.5)]
    [InlineData("emptied", 1.5)]
    [InlineData("paused", 0.3)]
    public async Task Bar5_RedisAway_CostsShareNotSends(string how, double load)
    {
        await using var stage = await LimitsStage.SetAsync(Proxies, LimitsStage.Bucket(Rate, Burst), Plan);
        var redis = stage.Fleet.Redis;
        var away = TimeSpan.FromSeconds(Math.Min(60, Seconds));

        var run = await stage.RunAsync(Name("5", $"{Proxies} at {load} R, Redis {how} for {away.TotalSeconds} s"), load * Rate, away + (2 * Length), during: async from =>
        {
            await Task.Delay(Length / 2, TimeProvider.System, TestContext.Current.CancellationToken);
            if (how == "emptied")
            {
                await redis.EmptyAsync();
                return;
            }

            redis.Pause();
            await Task.Delay(away, TimeProvider.System, TestContext.Current.CancellationToken);
            redis.Resume();
        });

        Assert.True(run is { Refusals: 0, Broken: 0, Failed: [] }, run.ToString());
        Assert.True(load < 1 || run.Use >= (IsLong ? 0.95 : 0.8), run.ToString());
        Assert.True(how == "emptied" || run.Answers.Any(a => a.Limiter == "share"), run.ToString());
    }

    [Fact]
    public async Task Bar5_FailedOver_CostsShareNotSends()
    {
        await using var redis = await RedisSentinel.TryStartAsync();
        Assert.SkipWhen(redis is null && Environment.GetEnvironmentVariable("CI") != "true", "It needs a redis-server of its own; install it.");
        await using var stage = await LimitsStage.SetAsync(Proxies, LimitsStage.Bucket(Rate, Burst), Plan, connection: redis!.Address);

        var run = await stage.RunAsync(Name("5", $"{Proxies} at 1.5 R, master killed under Sentinel"), 1.5 * Rate, TimeSpan.FromSeconds(8) + Length, during: async from =>
        {
            redis.KillMaster();
            await redis.FailedOverAsync();
        });

        Assert.True(run is { Refusals: 0, Broken: 0, Failed: [] }, run.ToString());
        Assert.True(run.Use >= (IsLong ? 0.95 : 0.8), run.ToString());
    }

    [Fact]
    public async Task Bar6_OneDiesAndOthersCome_NoRefusal()
    {
        await using var stage = await LimitsStage.SetAsync(Proxies, LimitsStage.Bucket(Rate, Burst), Plan);
        DateTimeOffset died = default;

        // The load of the dead one ends with it: the others ask for all of the plan.
        var run = await stage.RunAsync(Name("6", $"1 of {Proxies} killed, then {Proxies} more at once"), 3 * Rate, 2 * Length, during: async from =>
        {
            await Task.Delay(Length / 2, TimeProvider.System, TestContext.Current.CancellationToken);
            died = TimeProvider.System.GetUtcNow();
            await stage.KillAsync(0);
            await Task.Delay(Length / 2, TimeProvider.System, TestContext.Current.CancellationToken);
            await stage.JoinAsync(Proxies);
        });

        await LimitsStage.TellAsync(string.Create(CultureInfo.InvariantCulture, $"  first second after the kill: use {run.UseIn(died, died.AddSeconds(1)):P1}"));
        Assert.True(run is { Refusals: 0, Failed: [] }, run.ToString());
        Assert.True(run.UseIn(died, died.AddSeconds(1)) >= (IsLong ? 0.95 : 0.75), run.ToString());
    }

    [Theory]
    [InlineData(true, 3)]
    [InlineData(false, 30)]
    public async Task Bar7_VendorHasLess_IsLearned(bool headers, int refusals)
    {
        var real = LimitsStage.Bucket(Rate * 4 / 5, Burst);
        await using var stage = await LimitsStage.SetAsync(Proxies, real, Plan, new RateHeaderOptions { Names = headers ? RateHeaderNames.XRateLimit : RateHeaderNames.None });

        var run = await stage.RunAsync(Name("7", $"{Proxies} at 1.5 R, vendor 20 % lower, {(headers ? "with" : "without")} headers"), 1.5 * Rate, IsLong ? TimeSpan.FromSeconds(50) : Length);

        var late = run.To - ((run.To - run.From) * 0.6);
        await LimitsStage.TellAsync(string.Create(CultureInfo.InvariantCulture, $"  of the vendor's rate in the last 60 %: {run.UseIn(late, run.To):P1}"));
        Assert.True(run.Refusals <= refusals, run.ToString());
        Assert.True(!IsLong || run.UseIn(late, run.To) >= (headers ? 0.95 : 0.9), run.ToString());
    }

    [Theory]
    [InlineData(10, 0)]
    [InlineData(1, 20)]
    public async Task Bar7_HeadersRoundedOrLate_CostLittle(int step, int lag)
    {
        await using var stage = await LimitsStage.SetAsync(
            Proxies, LimitsStage.Bucket(Rate, Burst), Plan, new RateHeaderOptions { RemainingStep = step, RemainingLag = lag });

        var run = await stage.RunAsync(Name("7", $"{Proxies} at 1.5 R, remaining told in steps of {step}, {lag} answers late"), 1.5 * Rate, Length);

        Assert.True(run is { Refusals: 0, Failed: [] }, run.ToString());
        Assert.True(run.Use >= (IsLong ? 0.95 : 0.8), run.ToString());
    }

    [Fact]
    public async Task Bar8_OneRefusal_StopsAllUntilItsEnd()
    {
        await using var stage = await LimitsStage.SetAsync(Proxies, LimitsStage.Bucket(Rate * 2, Rate * 2), $"{{ rate: {Rate}/s, counts: bucket, burst: {Burst}, maxWait: 4s }}",
            new RateHeaderOptions { Names = RateHeaderNames.None });

        var run = await stage.RunAsync(Name("8", $"{Proxies} at 0.8 R, one 429 with Retry-After: 2"), 0.8 * Rate, Length + TimeSpan.FromSeconds(3), during: async from =>
        {
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, TestContext.Current.CancellationToken);
            stage.Fleet.Vendor.Faults.Add("rate-limited;ms=2000");
        });

        var refused = run.Arrivals.First(a => a.Status == 429).At;
        var inside = run.Arrivals.Count(a => a.At > refused.AddMilliseconds(IsLong ? 50 : 150) && a.At < refused.AddSeconds(2));
        var after = run.Arrivals.Count(a => a.At >= refused.AddSeconds(2) && a.At < refused.AddSeconds(3));
        await LimitsStage.TellAsync(string.Create(CultureInfo.InvariantCulture, $"  arrived later than that after it was known: {inside}; in the first second after its end: {after}"));
        Assert.Equal(1, run.Refusals);
        Assert.Equal(0, inside);
        Assert.True(after <= Rate + Burst, run.ToString());
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(1, 6)]
    public async Task Bar9_LowRates_AreExact(int permits, int seconds)
    {
        await using var stage = await LimitsStage.SetAsync(
            Proxies, LimitsStage.Window(permits, seconds, phaseMs: 140), $"{{ rate: {permits}/{seconds}s, maxWait: 20s }}");

        var run = await stage.RunAsync(Name("9", $"{permits} in {seconds} s, {Proxies} proxies"), 3.0 * permits / seconds, IsLong ? TimeSpan.FromSeconds(180) : 2 * Length, urgentShare: 0);

        Assert.True(run is { Refusals: 0, Failed: [] }, run.ToString());
        Assert.True(!IsLong || run.Use >= 0.93, run.ToString());
    }

    // The negative control: the same plan kept by each process alone is the plan as often as there are processes. Learning would
    // hide it after the first refusals.
    [Fact]
    public async Task Control_LimitOfEachProcess_IsCaught()
    {
        await using var stage = await LimitsStage.SetAsync(Proxies, LimitsStage.Bucket(Rate, Burst), Plan[..^1] + ", learn: false }", connection: "");

        var run = await stage.RunAsync(Name("control", $"{Proxies} at 1.5 R, each with the plan of its own"), 1.5 * Rate, Length);

        Assert.True(run.Refusals > 0, run.ToString());
    }

    private static string Name(string bar, string what) => $"bar {bar}: {what}";

    private static int Variable(string name, int fallback) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : fallback;
}
