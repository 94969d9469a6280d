using Microsoft.Extensions.Time.Testing;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Stores;
using SendProxy.Tests.Redis;

namespace SendProxy.Tests.Sending.Limits;

public sealed class ConcurrencyLimiterTests(RedisFixture redis) : IAsyncDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);
    private static readonly Ask One = new(LaneTable.Default.Usual, 1, false);
    private static readonly Ask Urgent = new(LaneTable.Default.All[0], 1, false);
    private readonly List<IAsyncDisposable> _made = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Acquire_AllInUse_WaitsForAnEndAndTheUrgentFirst()
    {
        var limiter = Local(2, new FakeTimeProvider());
        var held = await limiter.AcquireAsync(One, Long, Token);
        await limiter.AcquireAsync(One, Long, Token);
        var waiting = limiter.AcquireAsync(One, Long, Token).AsTask();
        var urgent = limiter.AcquireAsync(Urgent, Long, Token).AsTask();

        limiter.Ended(One, held, null);

        Assert.True((await urgent).IsAcquired);
        Assert.False(waiting.IsCompleted);
    }

    [Fact]
    public async Task AcquireAndEnd_AtRandom_NeverMoreThanTheLimit()
    {
        var time = new FakeTimeProvider();
        var limiter = Local(7, time);
        var (random, held, waiting) = (new Random(3), new List<Permit>(), new List<(Task<Permit> Task, CancellationTokenSource Source)>());
        for (var i = 0; i < 100_000; i++)
        {
            switch (random.Next(8))
            {
                case < 3:
                    var source = new CancellationTokenSource();
                    waiting.Add((limiter.AcquireAsync(One with { Cost = random.Next(6) == 0 ? 3 : 1 }, TimeSpan.FromSeconds(random.Next(3)), source.Token).AsTask(), source));
                    break;
                case < 6 when held.Count > 0:
                    var at = random.Next(held.Count);
                    limiter.Ended(One, held[at], null);
                    held.RemoveAt(at);
                    break;
                case 6 when waiting.Count > 0:
                    await waiting[random.Next(waiting.Count)].Source.CancelAsync();
                    break;
                default:
                    time.Advance(TimeSpan.FromMilliseconds(random.Next(30)));
                    break;
            }

            foreach (var (task, _) in waiting.Where(w => w.Task.IsCompletedSuccessfully))
            {
                var permit = await task;
                if (permit.IsAcquired)
                {
                    held.Add(permit);
                }
            }

            waiting.RemoveAll(w => w.Task.IsCompleted);
            Assert.True(held.Sum(p => p.Cost) <= 7, $"{held.Sum(p => p.Cost)} at {i}");
        }

        Assert.Equal(7 - held.Sum(p => p.Cost), limiter.GetStatistics()!.CurrentAvailablePermits);
    }

    [Fact]
    public async Task Throttle_WithoutAWait_LowersTheBound()
    {
        var limiter = Local(10, new FakeTimeProvider());
        limiter.Throttle(One, TimeSpan.Zero);

        Assert.Equal(9, Enumerable.Range(0, 10).Count(_ => limiter.TryTake(One, out var _)));
        Assert.False((await limiter.AcquireAsync(One, TimeSpan.Zero, Token)).IsAcquired);
    }

    [Fact]
    public async Task Fleet_TwoProcesses_ShareTheSlotsAndPassThemOn()
    {
        var prefix = $"slots-{Guid.NewGuid():n}";
        var (one, two) = (await SharedAsync(prefix, "one"), await SharedAsync(prefix, "two"));
        var first = new List<Permit>();
        for (var i = 0; i < 4; i++)
        {
            first.Add(await one.AcquireAsync(One, Long, Token));
        }

        Assert.All(first, p => Assert.True(p.IsAcquired));
        var waiting = two.AcquireAsync(One, Long, Token).AsTask();
        one.Ended(One, first[0], null);
        Assert.True((await waiting.WaitAsync(Long, TimeProvider.System, Token)).IsAcquired);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var made in _made)
        {
            await made.DisposeAsync();
        }
    }

    private static LimitOptions Options(int limit) => new("calls", null, false, 1, Long, 1000) { Concurrent = limit };

    private ConcurrencyLimiter Local(int limit, FakeTimeProvider time)
    {
        var metrics = new LimitMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));
        var limiter = new ConcurrencyLimiter(
            Options(limit), LaneTable.Default, new LocalSlotStore(limit, true, time), 1, time, metrics.For(Options(limit), LaneTable.Default));
        _made.Add(limiter);
        return limiter;
    }

    private async Task<ConcurrencyLimiter> SharedAsync(string prefix, string process)
    {
        var link = LinkUnderTest.Create(redis.Server.Address, prefix: prefix);
        var up = new TaskCompletionSource();
        ConcurrencyLimiter? limiter = null;
        link.Subscribe($"{prefix}:limit-slots", m => limiter?.Hear(m.ToString().Split(' ', 2)[1], m.ToString().EndsWith($"free {process}", StringComparison.Ordinal)));
        link.WhenUp(() =>
        {
            up.TrySetResult();
            return Task.CompletedTask;
        });
        link.Start();
        await up.Task.WaitAsync(Long, TimeProvider.System, Token);
        var metrics = new LimitMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));
        limiter = new ConcurrencyLimiter(
            Options(4), LaneTable.Default, new RedisSlotStore(link, "calls", process, 4, true, $"{prefix}:limit-slots", () => { }), 2, TimeProvider.System,
            metrics.For(Options(4), LaneTable.Default));
        _made.Add(limiter);
        _made.Add(link);
        return limiter;
    }
}
