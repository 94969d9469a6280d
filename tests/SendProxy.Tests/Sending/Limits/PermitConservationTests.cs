using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Time.Testing;
using SendProxy.Configuration;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Sending.RateLimiting.Rates;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>
/// What is asked for, cancelled, given back and refused adds up: no permit is lost and none comes out of nothing, over as many
/// operations as SENDPROXY_PERMIT_OPERATIONS says.
/// </summary>
public class PermitConservationTests
{
    private const int Rate = 1000;

    private static int Operations =>
        int.TryParse(Environment.GetEnvironmentVariable("SENDPROXY_PERMIT_OPERATIONS"), CultureInfo.InvariantCulture, out var asked) ? asked : 1_000_000;

    [Fact]
    public async Task AcquireAndCancel_AtRandom_ConservesPermits()
    {
        var time = new FakeTimeProvider();
        using var limiter = Create(time);
        var shape = LimitParameters.For(limiter.Options, LimitParameters.UsualSpread);
        var (random, waiting) = (new Random(7), new List<(Task<Permit> Task, CancellationTokenSource Source)>());
        long granted = 0, givenBack = 0;
        for (var i = 0; i < Operations; i++)
        {
            switch (random.Next(10))
            {
                case < 6:
                    var source = new CancellationTokenSource();
                    waiting.Add((limiter.AcquireAsync(new PermitRequest(LaneTable.Default.All[random.Next(3)], random.Next(8) == 0 ? 3 : 1, random.Next(4) == 0), TimeSpan.FromSeconds(random.Next(3)), source.Token).AsTask(), source));
                    break;
                case < 8 when waiting.Count > 0:
                    var at = random.Next(waiting.Count);
                    await waiting[at].Source.CancelAsync();
                    break;
                default:
                    time.Advance(TimeSpan.FromMilliseconds(random.Next(3)));
                    break;
            }

            if (waiting.Count > 200 || i == Operations - 1)
            {
                if (i == Operations - 1)
                {
                    time.Advance(TimeSpan.FromSeconds(10));
                }

                foreach (var (task, _) in waiting.Where(w => w.Task.IsCompletedSuccessfully))
                {
                    var permit = await task;
                    if (!permit.IsAcquired)
                    {
                        continue;
                    }

                    granted += permit.Cost;
                    if (random.Next(5) == 0)
                    {
                        limiter.GiveBack(new PermitRequest(LaneTable.Default.Usual, permit.Cost, false), permit);
                        givenBack += permit.Cost;
                    }
                }

                waiting.RemoveAll(w => w.Task.IsCompleted);
            }
        }

        var statistics = limiter.GetStatistics()!;
        var most = shape.Burst + (shape.Rate * (time.GetUtcNow() - time.Start).TotalSeconds);
        Assert.Empty(waiting);
        Assert.Equal((0, granted), (statistics.CurrentQueuedCount, statistics.TotalSuccessfulLeases));
        Assert.InRange(granted - givenBack, most * 0.9, most + 1);
    }

    [Fact]
    public async Task Acquire_FromManyThreads_GivesNoMoreThanThereIs()
    {
        // The clock stands: what can be had is the base, however many ask at once.
        var time = new FakeTimeProvider();
        using var limiter = Create(time);
        var shape = LimitParameters.For(limiter.Options, LimitParameters.UsualSpread);
        var taken = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                if (limiter.TryTake(new PermitRequest(LaneTable.Default.Usual, 1, false), out var permit))
                {
                    Interlocked.Increment(ref taken);
                }
            }
        })));

        Assert.Equal((int)shape.Base, taken);
    }

    // The contract of the base type, as its own documentation and tests have it.
    [Fact]
    public async Task Leases_OfTheBaseType_CarryRetryAfterAndEndOnce()
    {
        var time = new FakeTimeProvider();
        RateLimiter limiter = Create(time);
        while (limiter.AttemptAcquire().IsAcquired)
        {
        }

        using var refused = limiter.AttemptAcquire();
        Assert.True(refused.TryGetMetadata(MetadataName.RetryAfter, out var wait) && wait > TimeSpan.Zero);
        var waiting = limiter.AcquireAsync(1, TestContext.Current.CancellationToken).AsTask();
        Assert.Null(limiter.IdleDuration);
        time.Advance(TimeSpan.FromSeconds(1));
        using var lease = await waiting;

        Assert.True(lease.IsAcquired);
        Assert.Throws<ArgumentOutOfRangeException>(() => limiter.AttemptAcquire(-1));
        await limiter.DisposeAsync();
        using var late = limiter.AttemptAcquire();
        Assert.False(late.IsAcquired);
    }

    private static FleetRateLimiter Create(FakeTimeProvider time)
    {
        Assert.True(Units.TryRate($"{Rate}/s", out var rate));
        var options = new LimitOptions("plan", rate, true, 200, TimeSpan.FromSeconds(3), 500);
        var metrics = new LimitMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));
        return new FleetRateLimiter(options, new LocalRateLimitStore(time), "self", new LimiterServices(LaneTable.Default, time, metrics.For(options, LaneTable.Default), 1, () => 0.5));
    }
}
