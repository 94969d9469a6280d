using System.Collections.Concurrent;
using System.Globalization;
using SendProxy.Redis;
using SendProxy.Sending.RateLimiting.Stores;
using StackExchange.Redis;

namespace SendProxy.Sending.RateLimiting;

/// <summary>Makes limits: of the fleet where there is a Redis, else of this process. Passes a 429 that another process met on to them.</summary>
internal sealed class LimitFactory
{
    private readonly RedisLink? _link;
    private readonly LimitMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly Func<double> _draw;
    private readonly int _fleetSize;
    private readonly ILogger _logger;
    private readonly string _channel = "";
    private readonly string _slots = "";
    private readonly ConcurrentDictionary<string, (string Key, ConcurrencyLimiter Limiter)> _slotsByKey = new(StringComparer.Ordinal);
    private int _made;
    private readonly ConcurrentDictionary<string, FleetLimiter> _byKey = new(StringComparer.Ordinal);

    /// <summary>To be made before the link is started.</summary>
    /// <param name="link">Null: this process is alone.</param>
    public LimitFactory(RedisLink? link, FleetOptions fleet, LimitMetrics metrics, TimeProvider time, Func<double> draw, ILogger<LimitFactory> logger)
    {
        (_link, _metrics, _time, _draw, _fleetSize, _logger) = (link, metrics, time, draw, fleet.Size, logger);
        if (link is not null)
        {
            _channel = $"{link.Options.KeyPrefix}:limit-blocks";
            link.Subscribe(_channel, OnBlock);
            _slots = $"{link.Options.KeyPrefix}:limit-slots";
            link.Subscribe(_slots, OnSlots);
        }
    }

    /// <summary>The limits in force, in the order of the configuration.</summary>
    public IReadOnlyList<Limit> Shown { get; private set; } = [];

    /// <summary>These are in force now.</summary>
    public void Show(IReadOnlyList<Limit> limits) => Shown = limits;

    /// <summary>This process among those of the fleet.</summary>
    public string Process { get; } = Guid.NewGuid().ToString("n")[..12];

    public Limit Create(LimitOptions options, LaneTable lanes)
    {
        var series = _metrics.For(options, lanes);
        return options.Quota is not null ? Quota(options, lanes, series)
            : options.Concurrent > 0 ? Concurrency(options, lanes, series)
            : options.Per is null
            ? One(options, lanes, series, options.Name)
            : new PerLimiter(options, lanes, value => One(options, lanes, series.Part(), $"{options.Name}:{value}"), _time);
    }

    private QuotaLimiter Quota(LimitOptions options, LaneTable lanes, LimitMetrics.Series series) => new(
        options, lanes, _link is null ? null : new RedisQuotaStore(_link, options.Name, Process, options.Quota!.Permits, series.Called), _fleetSize, _time, series, _logger);

    private ConcurrencyLimiter Concurrency(LimitOptions options, LaneTable lanes, LimitMetrics.Series series)
    {
        var cuts = options.Learn == LearnMode.Tighten;
        if (_link is null)
        {
            return new ConcurrencyLimiter(options, lanes, new LocalSlotStore(options.Concurrent, cuts, _time), 1, _time, series);
        }

        // While a limit is replaced at a reload, the old one still holds slots: each has a name of its own.
        var (key, member) = (RedisSlotStore.Keys(_link.Options.KeyPrefix, options.Name)[0].ToString(), $"{Process}-{Interlocked.Increment(ref _made)}");
        var limiter = new ConcurrencyLimiter(
            options, lanes, new RedisSlotStore(_link, options.Name, member, options.Concurrent, cuts, _slots, series.Called), _fleetSize, _time, series)
        {
            OnDispose = () => _slotsByKey.TryRemove(member, out _),
        };
        _slotsByKey[member] = (key, limiter);
        return limiter;
    }

    // What concurrent.lua publishes: the state's key and what happened.
    private void OnSlots(RedisValue message)
    {
        var text = message.ToString();
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        foreach (var (member, (key, limiter)) in _slotsByKey)
        {
            if (space > 0 && text[..space] == key)
            {
                limiter.Hear(text[(space + 1)..], text.EndsWith($"free {member}", StringComparison.Ordinal));
            }
        }
    }

    private FleetLimiter One(LimitOptions options, LaneTable lanes, LimitMetrics.Series series, string name)
    {
        if (_link is null)
        {
            return new FleetLimiter(options, lanes, new LocalLimitStore(_time), Process, 1, _time, series, _draw);
        }

        var key = RedisLimitStore.Keys(_link.Options.KeyPrefix, name)[0].ToString();
        var limiter = new FleetLimiter(
            options, lanes, new RedisLimitStore(_link, name, _channel, series.Called), Process, _fleetSize, _time, series, _draw)
        {
            OnDispose = l => _byKey.TryRemove(new KeyValuePair<string, FleetLimiter>(key, l)),
        };
        _byKey[key] = limiter;
        return limiter;
    }

    // What acquire.lua publishes: the state's key and for how many microseconds.
    private void OnBlock(RedisValue message)
    {
        var text = message.ToString();
        var space = text.LastIndexOf(' ');
        if (space > 0 && long.TryParse(text.AsSpan(space + 1), CultureInfo.InvariantCulture, out var microseconds)
            && _byKey.TryGetValue(text[..space], out var limiter))
        {
            limiter.Block(TimeSpan.FromMicroseconds(microseconds));
        }
    }
}
