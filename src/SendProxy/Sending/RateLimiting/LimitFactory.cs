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
    private readonly string _channel = "";
    private readonly ConcurrentDictionary<string, FleetLimiter> _byKey = new(StringComparer.Ordinal);

    /// <summary>To be made before the link is started.</summary>
    /// <param name="link">Null: this process is alone.</param>
    public LimitFactory(RedisLink? link, FleetOptions fleet, LimitMetrics metrics, TimeProvider time, Func<double> draw)
    {
        (_link, _metrics, _time, _draw, _fleetSize) = (link, metrics, time, draw, fleet.Size);
        if (link is not null)
        {
            _channel = $"{link.Options.KeyPrefix}:limit-blocks";
            link.Subscribe(_channel, OnBlock);
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
        if (options.Rate is null)
        {
            throw new NotSupportedException("quota and concurrent come next.");
        }

        return options.Per is null
            ? One(options, lanes, series, options.Name)
            : new PerLimiter(options, lanes, value => One(options, lanes, series.Part(), $"{options.Name}:{value}"), _time);
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
