using Microsoft.Extensions.Time.Testing;
using SendProxy.Configuration;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Sending.RateLimiting.Rates;

namespace SendProxy.Tests.Sending.Limits;

public sealed class FleetRateLimiterTests : IDisposable
{
    private static readonly PermitRequest Urgent = new(LaneTable.Default.All[0], 1, false);
    private static readonly PermitRequest Normal = new(LaneTable.Default.All[1], 1, false);
    private static readonly PermitRequest Bulk = new(LaneTable.Default.All[2], 1, false);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);
    private readonly FakeTimeProvider _time = new();
    private readonly List<FleetRateLimiter> _made = [];
    private readonly Prometheus.MetricFactory _metrics = Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry());

    [Fact]
    public async Task Acquire_AfterARest_GrantsTheBurstAtOnce()
    {
        var limiter = Create("100/s");

        for (var i = 0; i < 3; i++)
        {
            Assert.True((await limiter.AcquireAsync(Normal, TimeSpan.Zero, Token)).IsAcquired);
        }

        Assert.False((await limiter.AcquireAsync(Normal, TimeSpan.Zero, Token)).IsAcquired);
    }

    [Fact]
    public async Task Acquire_WaitThatDoesNotFit_IsRefusedAtOnceWithATrueRetryAfter()
    {
        var limiter = Create("1/10s");
        await limiter.AcquireAsync(Normal, Long, Token);

        var refused = await limiter.AcquireAsync(Normal, TimeSpan.FromSeconds(1), Token);

        Assert.Equal(PermitRefusal.WaitTooLong, refused.Reason);
        _time.Advance(refused.RetryAfter);
        Assert.True((await limiter.AcquireAsync(Normal, TimeSpan.Zero, Token)).IsAcquired);
    }

    [Fact]
    public async Task Acquire_FullQueue_IsRefused()
    {
        var limiter = Create("1/s", maxWaiting: 1);
        await limiter.AcquireAsync(Normal, Long, Token);
        var waiting = limiter.AcquireAsync(Normal, Long, Token).AsTask();

        Assert.Equal(PermitRefusal.QueueFull, (await limiter.AcquireAsync(Normal, Long, Token)).Reason);
        Assert.False(waiting.IsCompleted);
    }

    [Fact]
    public async Task Acquire_Urgent_PassesTheBulk()
    {
        var limiter = Create("1/s");
        await limiter.AcquireAsync(Bulk, Long, Token);
        var bulk = limiter.AcquireAsync(Bulk, Long, Token).AsTask();
        var urgent = limiter.AcquireAsync(Urgent, Long, Token).AsTask();

        _time.Advance(TimeSpan.FromSeconds(1.1));
        await urgent;

        Assert.False(bulk.IsCompleted);
    }

    [Fact]
    public async Task Acquire_BulkUnderUrgentLoad_KeepsAFifth()
    {
        var limiter = Create("10/s");
        var bulk = Waiting(limiter, Bulk.Lane, 20);
        var urgent = Waiting(limiter, Urgent.Lane, 100);

        Step(10);
        await Task.WhenAll(urgent.Where(t => t.IsCompleted));

        var granted = bulk.Count(t => t.IsCompleted) + urgent.Count(t => t.IsCompleted);
        Assert.InRange(bulk.Count(t => t.IsCompleted), granted / 5 - 2, (granted / 5) + 2);
    }

    [Fact]
    public async Task Acquire_CancelledWaiter_LeavesTheHeadFree()
    {
        var limiter = Create("1/s");
        await limiter.AcquireAsync(Normal, Long, Token);
        using var leaving = new CancellationTokenSource();
        var first = limiter.AcquireAsync(Normal, Long, leaving.Token).AsTask();
        var second = limiter.AcquireAsync(Normal, Long, Token).AsTask();

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        _time.Advance(TimeSpan.FromSeconds(1.1));

        Assert.True((await second).IsAcquired);
    }

    [Fact]
    public async Task Block_UntilTheEnd_GrantsNothing()
    {
        var limiter = Create("100/s");
        limiter.Throttle(Normal, Refusals.Wait(TimeSpan.FromSeconds(2)));
        var waiting = limiter.AcquireAsync(Urgent, Long, Token).AsTask();

        Step(1.9);
        Assert.False(waiting.IsCompleted);
        Step(0.2);

        Assert.True((await waiting).IsAcquired);
    }

    [Theory]
    [InlineData(FeedbackMode.Observe, 2)]
    [InlineData(FeedbackMode.Off, 0)]
    public void Throttle_NotLearned_KeepsTheRateAndCountsTheCutsThatObserveWouldMake(object learn, int cuts)
    {
        var limiter = Create("100/s", learn: (FeedbackMode)learn);
        var before = limiter.Views().Single().InForce;
        var findings = _metrics.CreateCounter("sendproxy_limit_findings_total", "", ["limit", "kind", "applied"]);

        limiter.Throttle(Normal, Refusals.Wait(TimeSpan.Zero));
        limiter.Throttle(Normal, Refusals.Wait(TimeSpan.Zero));
        Step(0.6);
        limiter.Throttle(Normal, Refusals.Wait(TimeSpan.Zero));

        Assert.Equal(before, limiter.Views().Single().InForce);
        Assert.Equal(cuts, findings.WithLabels("plan", "limit", "false").Value);
    }

    [Theory]
    [InlineData(FeedbackMode.Tighten, "200/s (a bucket of 40, by its headers)", "true")]
    [InlineData(FeedbackMode.Observe, "/s (a bucket of 40, by its headers; observed only)", "false")]
    public void Ended_CountsAuto_BucketProven_IsKeptToAsFarAsItIsLearnedAndForgottenWithA429(object learn, string inForce, string applied)
    {
        var limiter = Create("200/s", learn: (FeedbackMode)learn, auto: true);
        var before = limiter.Views().Single().InForce;
        var forms = _metrics.CreateCounter("sendproxy_limit_findings_total", "", ["limit", "kind", "applied"]).WithLabels("plan", "form", applied);
        for (var i = 0; i < 20; i++)
        {
            Assert.True(limiter.TryTake(Normal, out var permit));
            limiter.Ended(Normal, permit, new RateLimitFeedbackSample(30 - i, 40, TimeSpan.FromSeconds((10 + i) / 200.0), TimeSpan.FromMilliseconds(1), TimeSpan.Zero));
            Step(0.02);
        }

        Assert.Equal(1, forms.Value);
        var proven = limiter.Views().Single().InForce;
        Assert.Equal(applied == "true" ? inForce : before[..before.IndexOf('/', StringComparison.Ordinal)] + inForce, proven);
        limiter.Throttle(Normal, Refusals.Wait(TimeSpan.Zero));
        Assert.Equal(2, forms.Value);
        Assert.DoesNotContain("bucket", limiter.Views().Single().InForce, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Refusals_CountsAuto_SmallerLimitNamed_IsKeptToWhoeverMetThem(bool elsewhere)
    {
        var limiter = Create("200/s", auto: true);
        Assert.True(limiter.TryTake(Normal, out var permit));
        limiter.Ended(Normal, permit, new RateLimitFeedbackSample(159, 160, TimeSpan.FromSeconds(0.9), TimeSpan.FromMilliseconds(1), TimeSpan.Zero));
        var before = Rate();

        if (elsewhere)
        {
            limiter.Block(TimeSpan.FromSeconds(1));
        }
        else
        {
            limiter.Throttle(Normal, Refusals.Wait(TimeSpan.FromSeconds(1)));
        }

        Step(1.1);
        Assert.InRange(before, 170, 200);
        Assert.InRange(Rate(), 100, 140);

        double Rate() => double.Parse(limiter.Views().Single().InForce.Split("/s")[0], System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task Block_LongerThanAWaiterCanWait_TellsItAtOnce()
    {
        var limiter = Create("1/s");
        await limiter.AcquireAsync(Normal, Long, Token);
        var waiting = limiter.AcquireAsync(Normal, TimeSpan.FromSeconds(3), Token).AsTask();

        limiter.Throttle(Normal, Refusals.Wait(TimeSpan.FromSeconds(60)));
        Step(1.2);

        Assert.Equal(PermitRefusal.WaitTooLong, (await waiting).Reason);
    }

    [Fact]
    public async Task Dispose_Waiters_End()
    {
        var limiter = Create("1/s");
        await limiter.AcquireAsync(Normal, Long, Token);
        var waiting = limiter.AcquireAsync(Normal, Long, Token).AsTask();

        limiter.Dispose();

        Assert.Equal(PermitRefusal.Disposed, (await waiting).Reason);
    }

    [Fact]
    public void AttemptAcquire_OnTheBaseType_KeepsItsContract()
    {
        System.Threading.RateLimiting.RateLimiter limiter = Create("1/s");

        Assert.True(limiter.AttemptAcquire().IsAcquired);
        var refused = limiter.AttemptAcquire();

        Assert.True(refused.TryGetMetadata(System.Threading.RateLimiting.MetadataName.RetryAfter, out var wait));
        Assert.True(wait > TimeSpan.Zero);
        Assert.Equal((1, 0, 0), ((int)limiter.GetStatistics()!.TotalSuccessfulLeases, (int)limiter.GetStatistics()!.CurrentAvailablePermits, (int)limiter.GetStatistics()!.CurrentQueuedCount));
    }

    public void Dispose() => _made.ForEach(l => l.Dispose());

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static List<Task<Permit>> Waiting(FleetRateLimiter limiter, Lane lane, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => limiter.AcquireAsync(new PermitRequest(lane, 1, false), Long, Token).AsTask())];

    private void Step(double seconds)
    {
        for (var at = 0.0; at < seconds; at += 0.01)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
        }
    }

    private FleetRateLimiter Create(string rate, int maxWaiting = 1000, FeedbackMode learn = FeedbackMode.Tighten, bool auto = false)
    {
        Assert.True(Units.TryRate(rate, out var parsed));
        var options = new LimitOptions("plan", parsed, false, auto ? parsed.Permits : 1, Long, maxWaiting) { Learn = learn, CountsAuto = auto };
        var metrics = new LimitMetrics(_metrics);
        var limiter = new FleetRateLimiter(
            options, new LocalRateLimitStore(_time), "self", new LimiterServices(LaneTable.Default, _time, metrics.For(options, LaneTable.Default), 1, () => 0.5));
        _made.Add(limiter);
        return limiter;
    }
}
