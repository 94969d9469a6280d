using System.Collections.Concurrent;
using System.Globalization;
using SendProxy.Redis;
using SendProxy.Sending.RateLimiting.Concurrency;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Sending.RateLimiting.Quotas;
using SendProxy.Sending.RateLimiting.Rates;
using StackExchange.Redis;

namespace SendProxy.Sending.RateLimiting;

/// <summary>Makes limits: of the fleet where there is a Redis, else of this process. Passes a 429 that another process met on to them.</summary>
internal sealed class LimiterFactory
{
    private readonly RedisLink? _link;
    private readonly LimitMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly Func<double> _draw;
    private readonly int _fleetSize;
    private readonly string _channel = "";
    private readonly string _slotChannel = "";
    private readonly string _unblockChannel = "";
    private readonly ConcurrentDictionary<string, FleetRateLimiter> _byKey = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<ConcurrencyLimiter, (string Key, string Process)> _slots = new();
    private readonly ConcurrentDictionary<QuotaLimiter, bool> _quotas = new();
    private readonly ILogger _logger;
    private int _made;

    private static readonly RedisScript Tell = new("unblock", "return redis.call('PUBLISH', ARGV[1], ARGV[2])");

    /// <summary>To be made before the link is started.</summary>
    /// <param name="link">Null: this process is alone.</param>
    public LimiterFactory(RedisLink? link, FleetOptions fleet, LimitMetrics metrics, TimeProvider time, Func<double> draw, ILogger<LimiterFactory> logger)
    {
        (_link, _metrics, _time, _draw, _fleetSize, _logger) = (link, metrics, time, draw, fleet.Size, logger);
        if (link is not null)
        {
            _channel = $"{link.Options.KeyPrefix}:limit-blocks";
            link.Subscribe(_channel, OnBlock);
            _unblockChannel = $"{link.Options.KeyPrefix}:limit-unblocks";
            link.Subscribe(_unblockChannel, name => UnblockHere(name.ToString()));
            _slotChannel = $"{link.Options.KeyPrefix}:limit-slots";
            link.Subscribe(_slotChannel, OnSlots);
            link.WhenUp(() =>
            {
                foreach (var limiter in _slots.Keys)
                {
                    limiter.Look();
                }

                foreach (var limiter in _quotas.Keys)
                {
                    limiter.Look();
                }

                return Task.CompletedTask;
            });
        }
    }

    /// <summary>The limits in force, in the order of the configuration.</summary>
    public IReadOnlyList<PlanLimiter> Shown { get; private set; } = [];

    /// <summary>These are in force now.</summary>
    public void Show(IReadOnlyList<PlanLimiter> limits) => Shown = limits;

    /// <summary>This process among those of the fleet.</summary>
    public string Process { get; } = Guid.NewGuid().ToString("n")[..12];

    public PlanLimiter Create(LimitOptions options, LaneTable lanes)
    {
        var series = _metrics.For(options, lanes);
        if (options.Concurrent > 0)
        {
            return Slots(options, lanes, series);
        }

        if (options.Quota is not null)
        {
            return Quota(options, lanes, series);
        }

        return options.Per is null
            ? One(options, lanes, series, options.Name)
            : new PartitionedLimiter(options, lanes, value => One(options, lanes, series.Part(), $"{options.Name}:{value}"), _time);
    }

    private FleetRateLimiter One(LimitOptions options, LaneTable lanes, LimitMetrics.Series series, string name)
    {
        // Blocks of one value among many are not logged: the value can be a recipient.
        var blocks = options.Per is null ? new BlockLog(options.Name, _logger) : null;
        if (_link is null)
        {
            return new FleetRateLimiter(options, new LocalRateLimitStore(_time), Process, Services(lanes, series)) { Blocks = blocks };
        }

        var key = RedisRateLimitStore.Keys(_link.Options.KeyPrefix, name)[0].ToString();
        var limiter = new FleetRateLimiter(options, new RedisRateLimitStore(_link, name, _channel, series.Called), Process, Services(lanes, series))
        {
            OnDispose = l => _byKey.TryRemove(new KeyValuePair<string, FleetRateLimiter>(key, l)),
            Blocks = blocks,
        };
        _byKey[key] = limiter;
        return limiter;
    }

    /// <summary>An operator ends the block of a limit: in this process at once, in the others by a message.</summary>
    /// <returns>What it did; null where no limit has the name.</returns>
    public async Task<UnblockResult?> UnblockAsync(string name)
    {
        if (Shown.FirstOrDefault(l => l.Name == name) is not { } limit)
        {
            return null;
        }

        var blocked = limit.Views().Max(v => v.BlockedSeconds);
        var canBeBlocked = UnblockHere(name);
        if (_link is null)
        {
            return new UnblockResult(name, canBeBlocked, blocked, "process");
        }

        var reply = await _link.RunAsync(Tell, $"{_link.Options.KeyPrefix}:{{limit:{name}}}:state", [_unblockChannel, name]);
        return new UnblockResult(name, canBeBlocked, blocked, reply.Result is null ? "process" : "fleet");
    }

    private LimiterServices Services(LaneTable lanes, LimitMetrics.Series series) => new(lanes, _time, series, _link is null ? 1 : _fleetSize, _draw);

    private bool UnblockHere(string name) => Shown.Where(l => l.Name == name).Aggregate(false, (any, limit) => limit.Unblock() || any);

    // Each limiter has slots of its own: after a reload the one that was replaced keeps its own until its requests have ended.
    private ConcurrencyLimiter Slots(LimitOptions options, LaneTable lanes, LimitMetrics.Series series)
    {
        if (_link is null)
        {
            var local = new LocalConcurrencyStore(options.Concurrent, options.Learn == FeedbackMode.Tighten, _time);
            return new ConcurrencyLimiter(options, local, Services(lanes, series)) { Blocks = new BlockLog(options.Name, _logger) };
        }

        var process = $"{Process}-{Interlocked.Increment(ref _made)}";
        var store = new RedisConcurrencyStore(_link, options, process, _slotChannel, series.Called);
        var limiter = new ConcurrencyLimiter(options, store, Services(lanes, series))
        {
            OnDispose = l => _slots.TryRemove(l, out _),
            Blocks = new BlockLog(options.Name, _logger),
        };
        _slots[limiter] = (RedisConcurrencyStore.Keys(_link.Options.KeyPrefix, options.Name)[0].ToString(), process);
        if (_link.IsUp)
        {
            limiter.Look();
        }

        return limiter;
    }

    private QuotaLimiter Quota(LimitOptions options, LaneTable lanes, LimitMetrics.Series series)
    {
        if (_link is null)
        {
            return new QuotaLimiter(options, null, Services(lanes, series), _logger);
        }

        var store = new RedisQuotaStore(_link, options.Name, $"{Process}-{Interlocked.Increment(ref _made)}", options.Quota!, series.Called);
        var limiter = new QuotaLimiter(options, store, Services(lanes, series), _logger) { OnDispose = l => _quotas.TryRemove(l, out _) };
        _quotas[limiter] = true;
        if (_link.IsUp)
        {
            limiter.Look();
        }

        return limiter;
    }

    // What lease.lua publishes: the state's key, what it is about, and for whom or how many milliseconds.
    private void OnSlots(RedisValue message)
    {
        var words = message.ToString().Split(' ');
        foreach (var (limiter, (_, process)) in _slots.Where(s => words.Length > 1 && s.Value.Key == words[0]))
        {
            switch (words[1])
            {
                case "lost":
                case "free" when words.Length > 2 && words[2] == process:
                    limiter.Look();
                    break;
                case "short":
                    limiter.LookWhetherIdle();
                    break;
                case "block" when words.Length > 2 && long.TryParse(words[2], CultureInfo.InvariantCulture, out var milliseconds):
                    limiter.Block(TimeSpan.FromMilliseconds(milliseconds));
                    break;
            }
        }
    }

    // What acquire.lua publishes: the state's key, and for how many microseconds it is blocked or that a probe was answered.
    private void OnBlock(RedisValue message)
    {
        var text = message.ToString();
        var space = text.LastIndexOf(' ');
        if (space <= 0 || !_byKey.TryGetValue(text[..space], out var limiter))
        {
            return;
        }

        if (long.TryParse(text.AsSpan(space + 1), CultureInfo.InvariantCulture, out var microseconds))
        {
            limiter.Block(TimeSpan.FromMicroseconds(microseconds));
        }
        else if (text.AsSpan(space + 1) is "probed")
        {
            limiter.AskAgain();
        }
    }
}

/// <summary>What <c>sendproxy limits unblock</c> did.</summary>
/// <param name="CanBeBlocked">False for a quota, which ends with its period and not with a block.</param>
/// <param name="BlockedSeconds">For how long it was blocked still.</param>
/// <param name="Scope">fleet, or process where Redis did not answer or there is none.</param>
internal sealed record UnblockResult(string Limit, bool CanBeBlocked, double BlockedSeconds, string Scope);
