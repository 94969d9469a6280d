using System.Globalization;
using SendProxy.IntegrationTests.Egress;
using SendProxy.IntegrationTests.Fleet;
using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Limits;
using SendProxy.Sandbox.Server;

namespace SendProxy.IntegrationTests.Campaigns;

/// <summary>A fleet before a vendor that counts exactly, and what is measured of it.</summary>
internal sealed class LimitsStage : IAsyncDisposable
{
    private const string Line = "retry: { baseDelay: 20ms }, breaker: { failureRatio: 100% }";
    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(2);

    private readonly FleetStage _fleet;
    private readonly LimitOptions _limit;
    private readonly HashSet<int> _dead = [];

    private LimitsStage(FleetStage fleet, LimitOptions limit) => (_fleet, _limit) = (fleet, limit);

    public FleetStage Fleet => _fleet;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static TimeProvider Time => TimeProvider.System;

    /// <summary>The vendor's own bucket.</summary>
    public static LimitOptions Bucket(int perSecond, int burst) =>
        new() { Kind = LimitKind.TokenBucket, Requests = perSecond, Window = TimeSpan.FromSeconds(1), Burst = burst };

    public static LimitOptions Window(int permits, double seconds, int phaseMs) => new()
    {
        Kind = LimitKind.FixedWindow,
        Requests = permits,
        Window = TimeSpan.FromSeconds(seconds),
        Phase = TimeSpan.FromMilliseconds(phaseMs),
    };

    /// <param name="plan">What the proxies are told, as the value of limits.plan.</param>
    /// <param name="connection">To a Redis of the test's own; null: one is started; empty: each proxy is alone.</param>
    public static async Task<LimitsStage> SetAsync(
        int proxies, LimitOptions limit, string plan, RateHeaderOptions? headers = null, string? connection = null)
    {
        var vendor = new SandboxOptions
        {
            Keys = [EgressStage.Key],
            Limits = [limit],
            RateHeaders = headers ?? new RateHeaderOptions(),
            Memory = new MemoryOptions { MaxRequestEntries = 1_000_000 },
        };
        var more = $"limits: {{ plan: {plan} }}\nprocess: {{ maxInFlight: 20000 }}\n";
        string[] lines = [.. Enumerable.Repeat(Line, proxies)];
        var fleet = connection?.Length == 0
            ? await FleetStage.SetAloneAsync(lines, vendor, more)
            : await FleetStage.SetAsync(lines, callTimeout: "50ms", vendor, connection, more);
        return new LimitsStage(fleet, limit);
    }

    public Task JoinAsync(int proxies) => Task.WhenAll(Enumerable.Range(0, proxies).Select(_ => _fleet.AddAsync(Line)));

    /// <summary>SIGKILL; the load goes to the others from then on.</summary>
    public async Task KillAsync(int proxy)
    {
        _dead.Add(proxy);
        await _fleet.Proxy(proxy).KillAsync();
    }

    /// <param name="perSecond">Requests of all proxies.</param>
    /// <param name="during">What happens in the meantime; it gets the time at which measuring began.</param>
    public async Task<LimitsRun> RunAsync(
        string name, double perSecond, TimeSpan length, double urgentShare = 0.1, Func<DateTimeOffset, Task>? during = null)
    {
        // A fleet that begins holds back for a moment; what that leaves to be done is not what is measured here.
        var plan = _limit.Requests / _limit.Window.TotalSeconds;
        await using var load = LimitsLoad.Start(Math.Min(perSecond, 0.3 * plan), urgentShare, random =>
        {
            var proxy = random.Next(_fleet.Count);
            return _dead.Contains(proxy) ? null : _fleet.Address(proxy);
        });
        await Task.Delay(Warm, Time, Token);
        load.PerSecond = perSecond;
        var calls = await CallsAsync();
        var (from, arrived) = (Time.GetUtcNow(), _fleet.Vendor.Requests.Arrived);
        var happening = during?.Invoke(from) ?? Task.CompletedTask;
        await Task.Delay(length, Time, Token);
        await happening;
        var to = Time.GetUtcNow();
        await load.StopAsync();
        var run = new LimitsRun(
            name, plan, _fleet.Vendor.Requests.Read(arrived), [.. load.Answers], load.Broken.Count,
            await CallsAsync() - calls, from, to);
        await TellAsync(run.ToString());
        if (Environment.GetEnvironmentVariable("SENDPROXY_CAMPAIGN_TIMELINE") == "true")
        {
            await TellAsync(run.Timeline());
        }

        return run;
    }

    public static async Task TellAsync(string line)
    {
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        if (Environment.GetEnvironmentVariable("SENDPROXY_CAMPAIGN_REPORT") is { Length: > 0 } report)
        {
            await File.AppendAllTextAsync(report, line + "\n", Token);
        }
    }

    public ValueTask DisposeAsync() => _fleet.DisposeAsync();

    // Each proxy counts its own calls; one that has died takes its count with it.
    private async Task<long> CallsAsync()
    {
        using var client = new HttpClient();
        var calls = 0.0;
        for (var i = 0; i < _fleet.Count; i++)
        {
            if (!_dead.Contains(i))
            {
                var page = await client.GetStringAsync(new Uri(_fleet.Proxy(i).Address("metrics"), "/metrics"), Token);
                calls += page.Split('\n').Where(l => l.StartsWith("sendproxy_limit_store_calls_total{", StringComparison.Ordinal))
                    .Sum(l => double.Parse(l[(l.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
            }
        }

        return (long)calls;
    }
}
