using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Sending.RateLimiting.Quotas;
using SendProxy.Tests.Redis;

namespace SendProxy.Tests.Sending.Limits;

public sealed class QuotaLimiterTests(RedisFixture redis)
{
    private static readonly PermitRequest Normal = new(LaneTable.Default.All[1], 1, false);
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 28, 22, 0, 0, TimeSpan.Zero));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("2026-03-29T12:00:00Z", (int)QuotaPeriod.Day, "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")]
    [InlineData("2026-10-25T12:00:00Z", (int)QuotaPeriod.Day, "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")]
    [InlineData("2026-03-15T12:00:00Z", (int)QuotaPeriod.Month, "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z")]
    [InlineData("2026-10-25T00:30:00Z", (int)QuotaPeriod.Hour, "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z")]
    [InlineData("2026-10-25T01:30:00Z", (int)QuotaPeriod.Hour, "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z")]
    public void Period_OfBerlin_FollowsItsCalendar(string now, int length, string start, string end) =>
        Assert.Equal(
            new CalendarPeriod(Time(start), Time(end)), CalendarPeriod.At(Time(now), (QuotaPeriod)length, Berlin));

    [Fact]
    public async Task Alone_UsedUp_IsRefusedUntilThePeriodEnds()
    {
        using var limiter = Create(3, null, _time);
        Assert.Equal(3, Enumerable.Range(0, 5).Count(_ => limiter.TryTake(Normal, out var _)));

        var refused = await limiter.AcquireAsync(Normal, TimeSpan.Zero, Token);

        Assert.Equal(PermitRefusal.QuotaUsed, refused.Reason);
        Assert.InRange(refused.RetryAfter, TimeSpan.FromHours(1), TimeSpan.FromHours(1) + TimeSpan.FromSeconds(1));
        _time.Advance(refused.RetryAfter);
        Assert.True(limiter.TryTake(Normal, out _));
    }

    [Fact]
    public void GiveBack_ReturnsIt()
    {
        using var limiter = Create(1, null, _time);
        limiter.TryTake(Normal, out var permit);

        limiter.GiveBack(Normal, permit);

        Assert.True(limiter.TryTake(Normal, out _));
        Assert.False(limiter.TryTake(Normal, out _));
    }

    [Fact]
    public void GiveBack_IntoTheNextPeriod_ReturnsNothingToIt()
    {
        using var limiter = Create(3, null, _time);
        Assert.True(limiter.TryTake(Normal, out var old));
        _time.Advance(TimeSpan.FromHours(2));
        Assert.True(limiter.TryTake(Normal, out _));

        limiter.GiveBack(Normal, old);

        Assert.Equal(2, Enumerable.Range(0, 5).Count(_ => limiter.TryTake(Normal, out var _)));
    }

    [Fact]
    public void Period_AtExactlyItsEnd_HasEnded()
    {
        using var limiter = Create(1, null, _time);
        var end = CalendarPeriod.At(_time.GetUtcNow(), QuotaPeriod.Day, Berlin).End;
        Assert.True(limiter.TryTake(Normal, out _));

        _time.Advance(end - _time.GetUtcNow() - TimeSpan.FromTicks(1));
        Assert.False(limiter.TryTake(Normal, out _));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.True(limiter.TryTake(Normal, out _));
    }

    // Of two processes that nobody counts together, each has half: also in a period that begins meanwhile.
    [Fact]
    public async Task StoreUnavailable_NewPeriod_TakesThisProcessesPartOnly()
    {
        using var limiter = Create(10, null, _time, store: new UnavailableStore());
        await limiter.AcquireAsync(Normal, TimeSpan.Zero, Token);
        Assert.Equal(4, Enumerable.Range(0, 20).Count(_ => limiter.TryTake(Normal, out var _)));

        _time.Advance(TimeSpan.FromHours(25));

        Assert.Equal(5, Enumerable.Range(0, 20).Count(_ => limiter.TryTake(Normal, out var _)));
    }

    [Theory]
    [InlineData(20)]
    [InlineData(2000)]
    public async Task Fleet_OfTwo_LetsExactlyTheQuotaThrough(int quota)
    {
        await using var link = LinkUnderTest.Create(redis.Server.Address);
        link.Start();
        using var a = Create(quota, link, TimeProvider.System, "a");
        using var b = Create(quota, link, TimeProvider.System, "b");
        a.Look();
        b.Look();
        using var guard = CancellationTokenSource.CreateLinkedTokenSource(Token);
        guard.CancelAfter(TimeSpan.FromSeconds(40));

        var granted = await Task.WhenAll(TakeAllAsync(a, quota, guard.Token), TakeAllAsync(b, quota, guard.Token));

        Assert.Equal(quota, granted.Sum());
    }

    [Fact]
    public async Task Script_SameCallTwice_CountsOnce()
    {
        await using var link = LinkUnderTest.Create(redis.Server.Address);
        link.Start();
        var store = new RedisQuotaStore(link, "month", "a", new QuotaOptions(100, QuotaPeriod.Day, Berlin, [0.5]), () => { });
        var period = CalendarPeriod.At(_time.GetUtcNow(), QuotaPeriod.Day, Berlin);
        var call = new QuotaCall(period, _time.GetUtcNow(), 60, 0, 0, 0, 0, 1);

        var first = await store.AskAsync(call);
        var again = await store.AskAsync(call);

        Assert.Equal((60L, 60L, 1, 0), (first!.Used, again!.Used, first.Alerts, again.Alerts));
    }

    [Fact]
    public void Keys_OfOnePeriod_ShareAHashTag() =>
        Assert.All(RedisQuotaStore.Keys("p", "month", 1), k => Assert.Contains("{limit:month}", k.ToString(), StringComparison.Ordinal));

    // Idle leases of the other come back within seconds: it is over when the fleet has counted all.
    private static async Task<int> TakeAllAsync(QuotaLimiter limiter, int quota, CancellationToken cancellation)
    {
        for (var granted = 0; ;)
        {
            cancellation.ThrowIfCancellationRequested();
            var permit = await limiter.AcquireAsync(Normal, TimeSpan.Zero, cancellation);
            granted += permit.IsAcquired ? 1 : 0;
            if (permit.Reason == PermitRefusal.QuotaUsed && permit.RetryAfter > TimeSpan.FromSeconds(5))
            {
                return granted;
            }
        }
    }

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);

    private static QuotaLimiter Create(int quota, SendProxy.Redis.RedisLink? link, TimeProvider time, string process = "a", ILimitStore<QuotaCall, QuotaReply>? store = null)
    {
        var kind = new QuotaOptions(quota, link is null ? QuotaPeriod.Day : QuotaPeriod.Month, Berlin, [0.8]);
        var options = new LimitOptions("month", null, false, 1, TimeSpan.FromSeconds(5), 1000) { Quota = kind };
        var metrics = new LimitMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));
        store ??= link is null ? null : new RedisQuotaStore(link, "month", process, kind, () => { });
        return new QuotaLimiter(options, store, new LimiterServices(LaneTable.Default, time, metrics.For(options, LaneTable.Default), 2, () => 0.5), NullLogger.Instance);
    }

    private sealed class UnavailableStore : ILimitStore<QuotaCall, QuotaReply>
    {
        public bool IsShared => true;

        public TimeSpan AnswersWithin => TimeSpan.Zero;

        public QuotaReply? AskNow(QuotaCall call) => null;

        public ValueTask<QuotaReply?> AskAsync(QuotaCall call) => default;
    }
}
