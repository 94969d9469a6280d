using Microsoft.Extensions.Time.Testing;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Concurrency;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Tests.Sending.Limits;

public sealed class ConcurrencyLimiterTests : IDisposable
{
    private const int Operations = 100_000;
    private static readonly PermitRequest Urgent = new(LaneTable.Default.All[0], 1, false);
    private static readonly PermitRequest Normal = new(LaneTable.Default.All[1], 1, false);
    private static readonly PermitRequest Bulk = new(LaneTable.Default.All[2], 1, false);
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(10);
    private readonly FakeTimeProvider _time = new();
    private readonly List<ConcurrencyLimiter> _made = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void TryTake_BoundInUse_HasNone()
    {
        var limiter = Create(2);

        Assert.True(limiter.TryTake(Normal, out var first));
        Assert.True(limiter.TryTake(Normal, out _));
        Assert.False(limiter.TryTake(Normal, out _));
        limiter.Ended(Normal, first, null);

        Assert.True(limiter.TryTake(Normal, out _));
    }

    [Fact]
    public void TryTake_Cost_Counts()
    {
        var limiter = Create(5);
        var three = Normal with { Cost = 3 };

        Assert.True(limiter.TryTake(three, out var permit));
        Assert.False(limiter.TryTake(three, out _));
        limiter.GiveBack(three, permit);

        Assert.True(limiter.TryTake(three, out _));
    }

    [Fact]
    public async Task Ended_SomeoneWaits_GoesToTheMostUrgent()
    {
        var limiter = Create(1);
        limiter.TryTake(Normal, out var held);
        var bulk = limiter.AcquireAsync(Bulk, Long, Token).AsTask();
        var urgent = limiter.AcquireAsync(Urgent, Long, Token).AsTask();

        limiter.Ended(Normal, held, null);

        Assert.True((await urgent).IsAcquired);
        Assert.False(bulk.IsCompleted);
    }

    [Fact]
    public async Task Acquire_WaitThatDoesNotFit_IsRefusedAtOnceByTheMeasuredDuration()
    {
        var limiter = Create(1);
        limiter.TryTake(Normal, out var measured);
        _time.Advance(TimeSpan.FromSeconds(4));
        limiter.Ended(Normal, measured, null);
        limiter.TryTake(Normal, out _);

        var refused = await limiter.AcquireAsync(Normal, TimeSpan.FromSeconds(3), Token);

        Assert.Equal(PermitRefusal.WaitTooLong, refused.Reason);
        Assert.InRange(refused.RetryAfter.TotalSeconds, 3.9, 4.1);
    }

    [Fact]
    public async Task Acquire_NothingComesFree_EndsAtItsDeadline()
    {
        var limiter = Create(1);
        limiter.TryTake(Normal, out _);
        var waiting = limiter.AcquireAsync(Normal, TimeSpan.FromSeconds(3), Token).AsTask();

        _time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(waiting.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Equal(PermitRefusal.WaitTooLong, (await waiting).Reason);
    }

    [Fact]
    public async Task Acquire_FullQueue_IsRefused()
    {
        var limiter = Create(1, maxWaiting: 1);
        limiter.TryTake(Normal, out _);
        _ = limiter.AcquireAsync(Normal, Long, Token).AsTask();

        Assert.Equal(PermitRefusal.QueueFull, (await limiter.AcquireAsync(Normal, Long, Token)).Reason);
    }

    [Fact]
    public void Throttle_LowersTheBoundByATenthAndBlocks()
    {
        var limiter = Create(10);

        limiter.Throttle(Normal, Refusals.Wait(TimeSpan.FromSeconds(2)));
        Assert.False(limiter.TryTake(Normal, out _));
        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(9, Enumerable.Range(0, 20).Count(_ => limiter.TryTake(Normal, out var _)));
    }

    [Fact]
    public void Throttle_LongAgo_HasGrownBack()
    {
        var limiter = Create(10);
        limiter.Throttle(Normal, Refusals.Wait(TimeSpan.Zero));

        for (var i = 0; i < 50; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.Equal(10, Enumerable.Range(0, 20).Count(_ => limiter.TryTake(Normal, out var _)));
    }

    [Fact]
    public void Throttle_Observing_LeavesTheBound()
    {
        var limiter = Create(10, learn: FeedbackMode.Observe);

        limiter.Throttle(Normal, Refusals.Wait(TimeSpan.Zero));

        Assert.Equal(10, Enumerable.Range(0, 20).Count(_ => limiter.TryTake(Normal, out var _)));
    }

    [Fact]
    public async Task Dispose_Waiters_End()
    {
        var limiter = Create(1);
        limiter.TryTake(Normal, out _);
        var waiting = limiter.AcquireAsync(Normal, Long, Token).AsTask();

        limiter.Dispose();

        Assert.Equal(PermitRefusal.Disposed, (await waiting).Reason);
    }

    [Fact]
    public async Task RandomOperations_ConservePermits()
    {
        const int Bound = 7;
        var (limiter, random, used) = (Create(Bound), new Random(1), 0);
        var held = new List<(PermitRequest Request, Permit Permit)>();
        var waiting = new List<(PermitRequest Request, Task<Permit> Task, CancellationTokenSource Leaving)>();
        for (var i = 0; i < Operations; i++)
        {
            var request = new PermitRequest(LaneTable.Default.All[random.Next(3)], 1 + random.Next(3), random.Next(2) == 0);
            switch (random.Next(4))
            {
                case 0 when waiting.Count < 30:
                    var leaving = new CancellationTokenSource();
                    waiting.Add((request, limiter.AcquireAsync(request, Long, leaving.Token).AsTask(), leaving));
                    break;
                case 1 when waiting.Count > 0:
                    await waiting[random.Next(waiting.Count)].Leaving.CancelAsync();
                    break;
                case 2 when held.Count > 0:
                    var one = held[random.Next(held.Count)];
                    held.Remove(one);
                    used -= one.Permit.Cost;
                    if (random.Next(2) == 0) { limiter.Ended(one.Request, one.Permit, null); } else { limiter.GiveBack(one.Request, one.Permit); }
                    break;
                case 3 when limiter.TryTake(request, out var now):
                    held.Add((request, now));
                    used += now.Cost;
                    break;
            }

            foreach (var done in waiting.Where(w => w.Task.IsCompleted).ToArray())
            {
                waiting.Remove(done);
                done.Leaving.Dispose();
                if (done.Task.IsCompletedSuccessfully && (await done.Task).IsAcquired)
                {
                    held.Add((done.Request, await done.Task));
                    used += done.Request.Cost;
                }
            }

            Assert.True(used <= Bound, $"operation {i}: {used} at once");
        }

        Assert.All(waiting, w => w.Leaving.Cancel());
        held.ForEach(h => limiter.Ended(h.Request, h.Permit, null));
        Assert.Equal(Bound, limiter.GetStatistics().CurrentAvailablePermits);
    }

    public void Dispose() => _made.ForEach(l => l.Dispose());

    private ConcurrencyLimiter Create(int concurrent, int maxWaiting = 1000, FeedbackMode learn = FeedbackMode.Tighten)
    {
        var options = new LimitOptions("calls", null, false, 1, Long, maxWaiting) { Concurrent = concurrent, Learn = learn };
        var metrics = new LimitMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));
        var store = new LocalConcurrencyStore(concurrent, learn == FeedbackMode.Tighten, _time);
        var limiter = new ConcurrencyLimiter(options, store, new LimiterServices(LaneTable.Default, _time, metrics.For(options, LaneTable.Default), 1, () => 0.5));
        _made.Add(limiter);
        return limiter;
    }
}
