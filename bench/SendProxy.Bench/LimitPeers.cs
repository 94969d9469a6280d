using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using SendProxy.Configuration;
using SendProxy.Redis;
using SendProxy.Secrets;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Sending.RateLimiting.Rates;
using SendProxy.Workers;
using StackExchange.Redis;

namespace SendProxy.Bench;

/// <summary>
/// The fleet limiter beside what others do, one after the other in one run over one real Redis: a script for each request
/// (Envoy's service, redis-rate-limiting), and the plan kept by each process alone. Processes are played by limiters with
/// connections of their own; the vendor by a bucket that counts exactly.
/// </summary>
internal sealed class LimitPeers(string redis, TimeSpan length, int processes, int rate, int burst)
{
    private const string Gcra = """
        local t = redis.call('TIME'); local now = t[1] * 1000000 + t[2]
        local step, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
        local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
        local wait = tat - (burst - 1) * step - now
        if wait > 0 then return math.ceil(wait) end
        redis.call('SET', KEYS[1], string.format('%.0f', tat + step), 'PX', 60000)
        return 0
        """;

    private static readonly TimeProvider Time = TimeProvider.System;
    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(string[] args)
    {
        var redis = args.ElementAtOrDefault(1);
        if (redis is null)
        {
            await Console.Error.WriteLineAsync("usage: SendProxy.Bench limits REDIS [SECONDS] [PROCESSES]; REDIS as in 127.0.0.1:6379, and empty");
            return 2;
        }

        var seconds = TimeSpan.FromSeconds(double.Parse(args.ElementAtOrDefault(2) ?? "10", CultureInfo.InvariantCulture));
        var processes = int.Parse(args.ElementAtOrDefault(3) ?? "10", CultureInfo.InvariantCulture);
        await Console.Out.WriteLineAsync($"{processes} processes, plan 200/s with a bucket of 40, {seconds.TotalSeconds} s each, {Environment.ProcessorCount} cores");
        await Console.Out.WriteLineAsync("load    limiter               sends    429    use  calls/send  wait p50 ms      p99  refused");
        foreach (var load in (double[])[0.3, 0.95, 1.5, 3])
        {
            var peers = new LimitPeers(redis, seconds, processes, 200, 40);
            await peers.MeasureAsync("fleet", load, peers.FleetAsync);
            await peers.MeasureAsync("a script per request", load, peers.ScriptAsync);
            await peers.MeasureAsync("each its own plan", load, peers.AloneAsync);
        }

        return 0;
    }

    private async Task MeasureAsync(string name, double load, Func<Task<(Func<Random, Task<bool>> Take, Func<long> Calls, Func<Task> End)>> make)
    {
        var (take, calls, end) = await make();
        var vendor = new ExactBucket(rate, burst);
        var (random, tasks, waits, refused) = (new Random(1), new List<Task>(), new List<double>(), 0);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1), Time);

        // A fleet that begins holds back for a moment: that is measured elsewhere.
        await PaceAsync(0.3, Warm);
        await Task.WhenAll(tasks);
        waits.Clear();
        var (atStart, refusedAtStart, takenAtStart) = (calls(), refused, vendor.Taken);
        var start = Time.GetTimestamp();
        await PaceAsync(load, length);
        var (before, took) = (calls() - atStart, Time.GetElapsedTime(start).TotalSeconds);
        var used = (vendor.Taken - takenAtStart) / (rate * took);
        await Task.WhenAll(tasks);
        await end();
        waits.Sort();
        await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{load,4:0.00}R   {name,-20}  {waits.Count,5}  {vendor.Refused,5}  {used,5:P0}  {(double)before / Math.Max(1, waits.Count),10:0.00}  {At(0.5),11:0.00}  {At(0.99),7:0.0}  {refused - refusedAtStart,7}"));

        double At(double share) => waits.Count == 0 ? 0 : waits[Math.Min(waits.Count - 1, (int)(share * waits.Count))];

        async Task PaceAsync(double part, TimeSpan time)
        {
            var (from, due) = (Time.GetTimestamp(), 0.0);
            while (Time.GetElapsedTime(from) < time && await timer.WaitForNextTickAsync())
            {
                for (; due <= Time.GetElapsedTime(from).TotalSeconds; due += -Math.Log(1 - random.NextDouble()) / (part * rate))
                {
                    tasks.Add(SendAsync());
                }
            }
        }

        async Task SendAsync()
        {
            var asked = Time.GetTimestamp();
            var got = await take(random);
            var waited = Time.GetElapsedTime(asked).TotalMilliseconds;
            lock (waits)
            {
                if (!got)
                {
                    refused++;
                    return;
                }

                waits.Add(waited);
                vendor.Arrive();
            }
        }
    }

    private async Task<(Func<Random, Task<bool>> Take, Func<long> Calls, Func<Task> End)> FleetAsync()
    {
        var (calls, prefix, metrics) = (0L, $"bench-{Guid.NewGuid():n}", Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));
        var limitMetrics = new LimitMetrics(metrics);
        var (links, limiters, options) = (new List<RedisLink>(), new List<FleetRateLimiter>(), Options());
        for (var i = 0; i < processes; i++)
        {
            var secrets = new SecretPoller(new SecretMetrics(metrics), metrics, new WorkerContext(new WorkerMetrics(metrics, Time), Time, NullLoggerFactory.Instance));
            var link = new RedisLink(new RedisOptions { Connection = redis, KeyPrefix = prefix }, secrets, new RedisMetrics(metrics), Time, NullLogger<RedisLink>.Instance);
            var up = new TaskCompletionSource();
            link.WhenUp(() =>
            {
                up.TrySetResult();
                return Task.CompletedTask;
            });
            link.Start();
            await up.Task.WaitAsync(TimeSpan.FromSeconds(10), Time);
            links.Add(link);
            limiters.Add(new FleetRateLimiter(
                options, new RedisRateLimitStore(link, "plan", $"{prefix}:blocks", () => Interlocked.Increment(ref calls)), $"p{i}",
                new LimiterServices(LaneTable.Default, Time, limitMetrics.For(options, LaneTable.Default), processes, Random.Shared.NextDouble)));
        }

        return (
            async random => (await limiters[random.Next(processes)].AcquireAsync(new PermitRequest(LaneTable.Default.Usual, 1, false), MaxWait, CancellationToken.None)).IsAcquired,
            () => Interlocked.Read(ref calls),
            async () =>
            {
                limiters.ForEach(l => l.Dispose());
                foreach (var link in links)
                {
                    await link.DisposeAsync();
                }
            }
        );
    }

    // What a filter does that asks a service for each request, and a caller that comes again when it is told to.
    private async Task<(Func<Random, Task<bool>> Take, Func<long> Calls, Func<Task> End)> ScriptAsync()
    {
        var (calls, key) = (0L, (RedisKey)$"bench-{Guid.NewGuid():n}");
        var connection = await ConnectionMultiplexer.ConnectAsync(redis);
        var (step, shape) = (1e6 / rate, LimitParameters.For(Options(), LimitParameters.UsualSpread));
        return (
            async _ =>
            {
                for (var start = Time.GetTimestamp(); ;)
                {
                    Interlocked.Increment(ref calls);
                    var wait = (long)await connection.GetDatabase().ScriptEvaluateAsync(Gcra, [key], [step, shape.Burst]);
                    if (wait == 0)
                    {
                        return true;
                    }

                    if (Time.GetElapsedTime(start) + TimeSpan.FromMicroseconds(wait) > MaxWait)
                    {
                        return false;
                    }

                    await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(1, wait / 1000)), Time);
                }
            },
            () => Interlocked.Read(ref calls),
            async () => await connection.DisposeAsync());
    }

    private Task<(Func<Random, Task<bool>> Take, Func<long> Calls, Func<Task> End)> AloneAsync()
    {
        var (options, metrics) = (Options(), new LimitMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry())));
        FleetRateLimiter[] limiters = [.. Enumerable.Range(0, processes).Select(i => new FleetRateLimiter(
            options, new LocalRateLimitStore(Time), $"p{i}", new LimiterServices(LaneTable.Default, Time, metrics.For(options, LaneTable.Default), 1, Random.Shared.NextDouble)))];
        return Task.FromResult<(Func<Random, Task<bool>>, Func<long>, Func<Task>)>((
            async random => (await limiters[random.Next(processes)].AcquireAsync(new PermitRequest(LaneTable.Default.Usual, 1, false), MaxWait, CancellationToken.None)).IsAcquired,
            () => 0,
            () =>
            {
                Array.ForEach(limiters, l => l.Dispose());
                return Task.CompletedTask;
            }
        ));
    }

    private LimitOptions Options() => new("plan", new Rate(rate, TimeSpan.FromSeconds(1)), true, burst, MaxWait, 10_000);

    /// <summary>The vendor: its bucket, by the machine's clock. Not safe for threads.</summary>
    private sealed class ExactBucket(double perSecond, double size)
    {
        private double _missing;
        private long _at = Time.GetTimestamp();

        public int Taken { get; private set; }

        public int Refused { get; private set; }

        public void Arrive()
        {
            _missing = Math.Max(0, _missing - (Time.GetElapsedTime(_at).TotalSeconds * perSecond));
            _at = Time.GetTimestamp();
            if (_missing + 1 > size)
            {
                Refused++;
                return;
            }

            _missing++;
            Taken++;
        }
    }
}
