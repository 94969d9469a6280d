using Microsoft.Extensions.Time.Testing;
using SendProxy.Configuration;
using SendProxy.Sending;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Concurrency;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Sending.RateLimiting.Rates;
using SendProxy.Tests.Sending.Limits.Simulation;

namespace SendProxy.Tests.Issues;

/// <summary>maxWait bounds the wait for permits: 0s means "now or not at all", and the waits for several limits count together.</summary>
public sealed class MaxWaitTests : IDisposable
{
    private static readonly PermitRequest One = new(LaneTable.Default.Usual, 1, false);
    private readonly Prometheus.CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();
    private readonly List<IDisposable> _made = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // A clock that goes on between two looks, as a real one does.
    [Fact]
    public async Task Zero_IdlePlanOfThisProcess_LetsTheSendGo()
    {
        var limiter = Rate("100/s", TimeSpan.Zero, new GoingOnTime());

        Assert.True((await limiter.AcquireAsync(One, TimeSpan.FromSeconds(30), Token)).IsAcquired);
    }

    [Fact]
    public async Task Zero_IdleSlotsOfThisProcess_LetTheSendGo()
    {
        var time = new GoingOnTime();
        var options = new LimitOptions("slots", null, false, 1, TimeSpan.Zero, 1000) { Concurrent = 2 };
        using var limiter = new ConcurrencyLimiter(options, new LocalConcurrencyStore(2, true, time), Services(options, time));

        Assert.True((await limiter.AcquireAsync(One, TimeSpan.FromSeconds(30), Token)).IsAcquired);
        Assert.True((await limiter.AcquireAsync(One, TimeSpan.FromSeconds(30), Token)).IsAcquired);
        Assert.Equal(PermitRefusal.WaitTooLong, (await limiter.AcquireAsync(One, TimeSpan.FromSeconds(30), Token)).Reason);
    }

    [Fact]
    public async Task Zero_FullPlan_IsRefusedAtOnce()
    {
        var limiter = Rate("1/10s", TimeSpan.Zero, new GoingOnTime());
        Assert.True((await limiter.AcquireAsync(One, TimeSpan.FromSeconds(30), Token)).IsAcquired);

        var refused = await limiter.AcquireAsync(One, TimeSpan.FromSeconds(30), Token);

        Assert.Equal(PermitRefusal.WaitTooLong, refused.Reason);
        Assert.InRange(refused.RetryAfter.TotalSeconds, 5, 11);
    }

    // Of a fleet the store is asked first: that takes time, and is no wait for a permit.
    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    public void Zero_IdlePlanOfTheFleet_LetsNearlyAllGo(int processes)
    {
        var figures = new FleetWorld(new WorldOptions { Processes = processes, Load = 0.2, MaxWaitSeconds = 0, Seconds = 30 }).Run();

        var refused = figures.Members.Sum(m => m.Refused.Count(r => r.At > 5e6));
        Assert.InRange(refused, 0, figures.Members.Sum(m => m.Sent) / 20);
        Assert.InRange(figures.Wait(0.999), 0, 60);
    }

    // Three limits of maxWait 2s, each of which lets a request go after 1.6 s: one wait after the other would be 4.8 s long.
    [Fact]
    public async Task SeveralLimits_WaitsCountTogether()
    {
        var time = new FakeTimeProvider();
        PlanLimiter[] limits = [new SlowLimiter(time), new SlowLimiter(time), new SlowLimiter(time)];
        var start = time.GetTimestamp();

        var refusal = await PermitAcquirer.TakeAsync(limits, [One, One, One], new Permit[3], Deadline.In(TimeSpan.FromSeconds(30), time), Token);

        Assert.NotNull(refusal);
        Assert.Equal(2, time.GetElapsedTime(start).TotalSeconds, 3);
    }

    // As an application that obeys reads it: so many requests, within so many seconds.
    [Theory]
    [InlineData("100/s", 85, 100, 1)]
    [InlineData("600/min", 50, 100, 5)]
    [InlineData("2/s", 1, 2, 1)]
    public void RateLimitHeader_IdlePlan_SaysWhatIsLetGoWithinSoManySeconds(string rate, int least, int most, int window)
    {
        var limiter = Rate(rate, TimeSpan.FromSeconds(5), new FakeTimeProvider());
        Assert.True(limiter.TryTake(One, out _));

        var (left, reset) = limiter.RateLimitHeader!.Value;

        Assert.InRange(left, least, most);
        Assert.Equal(window, reset);
    }

    [Fact]
    public async Task RateLimitHeader_WhoObeysIt_GetsThePlan()
    {
        var time = new FakeTimeProvider();
        var limiter = Rate("100/s", TimeSpan.FromSeconds(5), time);
        Assert.True(limiter.TryTake(One, out _));
        var sent = 0;
        for (var second = 0; second < 10; second++)
        {
            var (left, reset) = limiter.RateLimitHeader!.Value;
            var waiting = Enumerable.Range(0, (int)left).Select(_ => limiter.AcquireAsync(One, TimeSpan.FromSeconds(5), Token).AsTask()).ToArray();
            for (var i = 0; i < 100 * reset; i++)
            {
                time.Advance(TimeSpan.FromMilliseconds(10));
            }

            sent += (await Task.WhenAll(waiting.Where(w => w.IsCompleted))).Count(p => p.IsAcquired);
        }

        Assert.InRange(sent, 850, 1000);
    }

    [Fact]
    public void RateLimitHeader_Blocked_SaysNoneAndUntilWhen()
    {
        var limiter = Rate("100/s", TimeSpan.FromSeconds(5), new FakeTimeProvider());
        limiter.Throttle(One, Sending.Limits.Refusals.Wait(TimeSpan.FromSeconds(20)));

        Assert.Equal((0, 20), limiter.RateLimitHeader);
    }

    // What is only tried is no refusal: each request counts once, however often it looks.
    [Fact]
    public async Task Refusals_OfOneRequest_AreCountedOnceAndTriesAreNot()
    {
        var time = new FakeTimeProvider();
        var limiter = Rate("1/s", TimeSpan.FromSeconds(5), time);
        Assert.True(limiter.TryTake(One, out _));
        Assert.False(limiter.TryTake(One, out _));
        Assert.False(limiter.TryTake(One, out _));
        var (requests, permits) = (new[] { One }, new Permit[1]);

        var waited = PermitAcquirer.TakeAsync([limiter], requests, permits, Deadline.In(TimeSpan.FromSeconds(30), time), Token).AsTask();
        time.Advance(TimeSpan.FromSeconds(1.2));
        Assert.Null(await waited);
        Assert.Equal(0, Count("wait_too_long"));

        Assert.NotNull(await PermitAcquirer.TakeAsync([limiter], requests, permits, Deadline.In(TimeSpan.FromMilliseconds(1), time), Token));
        Assert.Equal(1, Count("wait_too_long"));
    }

    [Fact]
    public async Task Series_BeginAtZero()
    {
        Rate("1/s", TimeSpan.FromSeconds(5), new FakeTimeProvider());
        using var page = new MemoryStream();
        await _registry.CollectAndExportAsTextAsync(page, Token);
        var text = System.Text.Encoding.UTF8.GetString(page.ToArray());

        foreach (var reason in (string[])["wait_too_long", "queue_full", "quota_used", "closed", "shutting_down"])
        {
            Assert.Contains($"sendproxy_limit_refusals_total{{limit=\"plan\",lane=\"normal\",reason=\"{reason}\"}} 0", text, StringComparison.Ordinal);
        }

        foreach (var kind in (string[])["drift", "limit", "spread", "form", "unrelated"])
        {
            Assert.Contains($"sendproxy_limit_findings_total{{limit=\"plan\",kind=\"{kind}\",applied=\"true\"}} 0", text, StringComparison.Ordinal);
        }
    }

    public void Dispose() => _made.ForEach(m => m.Dispose());

    private double Count(string reason) => Prometheus.Metrics.WithCustomRegistry(_registry)
        .CreateCounter("sendproxy_limit_refusals_total", "", ["limit", "lane", "reason"]).WithLabels("plan", "normal", reason).Value;

    private LimiterServices Services(LimitOptions options, TimeProvider time) => new(LaneTable.Default, time, Series(options), 1, () => 0.5);

    private LimitMetrics.Series Series(LimitOptions options) => new LimitMetrics(Prometheus.Metrics.WithCustomRegistry(_registry)).For(options, LaneTable.Default);

    private FleetRateLimiter Rate(string rate, TimeSpan maxWait, TimeProvider time)
    {
        Assert.True(Units.TryRate(rate, out var parsed));
        var options = new LimitOptions("plan", parsed, false, 1, maxWait, 1000);
        var limiter = new FleetRateLimiter(options, new LocalRateLimitStore(time), "self", Services(options, time));
        _made.Add(limiter);
        return limiter;
    }

    /// <summary>A clock of which no two looks are the same; its timers never fire.</summary>
    private sealed class GoingOnTime : TimeProvider
    {
        private long _ticks = 1_000_000;

        public override long TimestampFrequency => 10_000_000;

        public override long GetTimestamp() => Interlocked.Add(ref _ticks, 30);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Never();

        private sealed class Never : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => default;
        }
    }

    /// <summary>Lets each request go after the same time, where it may wait for so long.</summary>
    private sealed class SlowLimiter(FakeTimeProvider time) : PlanLimiter(
        new LimitOptions("slow", new Rate(1, TimeSpan.FromSeconds(1)), false, 1, TimeSpan.FromSeconds(2), 10), LaneTable.Default)
    {
        private static readonly TimeSpan Wait = TimeSpan.FromSeconds(1.6);

        public override TimeSpan? IdleDuration => null;

        public override bool TryTake(in PermitRequest request, out Permit permit)
        {
            permit = default;
            return false;
        }

        public override ValueTask<Permit> AcquireAsync(PermitRequest request, TimeSpan maxWait, CancellationToken cancellation)
        {
            time.Advance(maxWait < Wait ? maxWait : Wait);
            return new(maxWait < Wait ? Permit.Refused(PermitRefusal.WaitTooLong, Wait) : Permit.Granted(PermitMode.Local, 1));
        }

        public override TimeSpan Predict(in PermitRequest request) => TimeSpan.FromMilliseconds(10);

        public override void GiveBack(in PermitRequest request, Permit permit)
        {
        }

        public override IEnumerable<LimitView> Views() => [];

        public override System.Threading.RateLimiting.RateLimiterStatistics? GetStatistics() => null;
    }
}
