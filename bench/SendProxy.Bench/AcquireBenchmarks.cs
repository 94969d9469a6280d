using System.Threading.RateLimiting;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using SendProxy.Configuration;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Sending.RateLimiting.Rates;

namespace SendProxy.Bench;

/// <summary>A permit where there is room, beside .NET's own limiters, which keep one process only.</summary>
[MemoryDiagnoser]
#pragma warning disable CA1515 // BenchmarkDotNet takes public types only.
public class AcquireBenchmarks : IDisposable
#pragma warning restore CA1515
{
    private const int Plenty = 1_000_000_000;
    private static readonly PermitRequest Request = new(LaneTable.Default.Usual, 1, IsRepeat: false);

    private readonly FleetRateLimiter _fleet;
    private readonly TokenBucketRateLimiter _bucket = new(new TokenBucketRateLimiterOptions
    {
        TokenLimit = Plenty,
        TokensPerPeriod = Plenty,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        AutoReplenishment = true,
        QueueLimit = 0,
    });

    public AcquireBenchmarks()
    {
        var options = new LimitOptions("plan", new Rate(1_000_000, TimeSpan.FromSeconds(1)), true, 1_000_000, TimeSpan.FromSeconds(5), 1000);
        var metrics = new LimitMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));
        _fleet = new FleetRateLimiter(options, new RoomyStore(), "bench", new LimiterServices(LaneTable.Default, TimeProvider.System, metrics.For(options, LaneTable.Default), 1, () => 0.5));

        // The first one asks; from then on there is room.
        _fleet.AcquireAsync(Request, TimeSpan.FromSeconds(1), CancellationToken.None).AsTask().GetAwaiter().GetResult();
    }

    public static int Run()
    {
        var job = Job.ShortRun.WithIterationCount(8).WithToolchain(InProcessEmitToolchain.Instance);
        var summary = BenchmarkRunner.Run<AcquireBenchmarks>(DefaultConfig.Instance.AddJob(job));
        return summary.HasCriticalValidationErrors ? 1 : 0;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _fleet.Dispose();
        _bucket.Dispose();
        GC.SuppressFinalize(this);
    }

    [Benchmark]
    public bool AcquireReady()
    {
        var permit = _fleet.AcquireAsync(Request, TimeSpan.FromSeconds(1), CancellationToken.None);
        return permit.IsCompletedSuccessfully;
    }

    [Benchmark(Baseline = true)]
    public bool DotNetTokenBucket()
    {
        using var lease = _bucket.AttemptAcquire();
        return lease.IsAcquired;
    }

    /// <summary>A fleet's state that always has room: what is measured is the way of one that need not wait.</summary>
    private sealed class RoomyStore : ILimitStore<RateLimitCall, RateLimitReply>
    {
        private static readonly RateLimitReply Room = new() { Now = new(1e15), Tat = new(1e15), Level = Plenty, Allowance = Plenty, Quantum = 1000, Epoch = 1, Live = 1, Active = 1 };

        public bool IsShared => true;

        public TimeSpan AnswersWithin => TimeSpan.Zero;

        public RateLimitReply? AskNow(RateLimitCall call) => null;

        public ValueTask<RateLimitReply?> AskAsync(RateLimitCall call) => new(Room);
    }
}
