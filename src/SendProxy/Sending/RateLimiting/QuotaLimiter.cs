using System.Threading.RateLimiting;
using SendProxy.Sending.RateLimiting.Stores;

namespace SendProxy.Sending.RateLimiting;

/// <summary>
/// So many in a calendar period; nothing is ever waited for. Of the fleet while much is left a send is counted behind it, within
/// an allowance; near the end each is asked for first. Without a fleet it counts in this process, and begins anew with it.
/// </summary>
internal sealed partial class QuotaLimiter : Limit
{
    private static readonly TimeSpan FlushEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AllowanceLife = TimeSpan.FromMicroseconds(LimiterMachine.AllowanceLife);
    private static readonly TimeSpan KeepAfter = TimeSpan.FromDays(1);

    private readonly RedisQuotaStore? _store;
    private readonly LimitMetrics.Series _series;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly QuotaOptions _quota;
    private readonly ITimer _flush;
    private readonly Lock _lock = new();
    private CalendarPeriod _period;
    private long _used;
    private long _debt;
    private long _inFlight;
    private long _allowance;
    private long _allowedAt;
    private int _live;
    private int _told;
    private bool _isAway;
    private bool _disposed;
    private long _granted;
    private long _refused;
    private long _lastGrant;

    /// <param name="store">Null: this process alone.</param>
    /// <param name="fleetSize">How many processes share the limit, before that is known.</param>
    public QuotaLimiter(LimitOptions options, LaneTable lanes, RedisQuotaStore? store, int fleetSize, TimeProvider time, LimitMetrics.Series series, ILogger logger)
        : base(options, lanes)
    {
        (_store, _series, _time, _logger, _quota, _live) = (store, series, time, logger, options.Quota!, Math.Max(1, fleetSize));
        _lastGrant = time.GetTimestamp();
        _period = CalendarPeriod.At(time.GetUtcNow(), _quota.Period, _quota.Zone);
        _flush = time.CreateTimer(static limiter => ((QuotaLimiter)limiter!).Flush(), this, FlushEvery, FlushEvery);
    }

    public override TimeSpan? IdleDuration => _time.GetElapsedTime(Volatile.Read(ref _lastGrant));

    public override bool TryTake(in Ask ask, out Permit permit)
    {
        lock (_lock)
        {
            Roll();
            permit = default;
            var fits = _store is null
                ? _used + ask.Cost <= _quota.Permits
                : !_isAway && _debt + _inFlight + ask.Cost <= _allowance && _time.GetElapsedTime(_allowedAt) < AllowanceLife;
            if (_disposed || !fits)
            {
                return false;
            }

            if (_store is null)
            {
                _used += ask.Cost;
                Tell();
            }
            else
            {
                _debt += ask.Cost;
            }

            permit = Grant(ask, _store is null ? PermitMode.Local : PermitMode.Ready);
            return true;
        }
    }

    public override async ValueTask<Permit> AcquireAsync(Ask ask, TimeSpan maxWait, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (TryTake(ask, out var permit))
        {
            return permit;
        }

        if (_store is null || _disposed)
        {
            return Refuse(ask, _disposed ? PermitRefusal.Disposed : PermitRefusal.QuotaUsed);
        }

        var reply = await AskAsync(ask.Cost);
        lock (_lock)
        {
            if (reply is { Given: > 0 })
            {
                return Grant(ask, PermitMode.Reserved);
            }

            // Away: this process's part of what was last known to be left.
            if (reply is null && !Options.ClosedWhenAway && _debt + _inFlight + ask.Cost <= (_quota.Permits - _used) / _live)
            {
                _debt += ask.Cost;
                return Grant(ask, PermitMode.Share);
            }
        }

        return Refuse(ask, reply is null && Options.ClosedWhenAway ? PermitRefusal.Closed : PermitRefusal.QuotaUsed);
    }

    public override TimeSpan Predict(in Ask ask)
    {
        lock (_lock)
        {
            Roll();
            return _used + _debt + _inFlight + ask.Cost > _quota.Permits ? UntilEnd : TimeSpan.Zero;
        }
    }

    public override void GiveBack(in Ask ask, Permit permit)
    {
        lock (_lock)
        {
            Roll();
            if (_store is null)
            {
                _used = Math.Max(0, _used - permit.Cost);
            }
            else
            {
                _debt -= permit.Cost;
            }
        }
    }

    public override RateLimiterStatistics GetStatistics()
    {
        lock (_lock)
        {
            return new RateLimiterStatistics
            {
                CurrentAvailablePermits = Math.Max(0, _quota.Permits - _used - _debt - _inFlight), TotalSuccessfulLeases = _granted, TotalFailedLeases = _refused,
            };
        }
    }

    public override IEnumerable<LimitView> Views()
    {
        lock (_lock)
        {
            Roll();
            var used = _used + _debt + _inFlight;
            return
            [
                new LimitView(Name, Options.Plan, _isAway ? Options.ClosedWhenAway ? "closed" : "share" : _store is null ? "local" : "ready",
                    $"{used} used until {_period.End:yyyy-MM-ddTHH:mmK}", _granted, Math.Max(0, _quota.Permits - used), 0, _live, 0, null, null, null),
            ];
        }
    }

    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        _flush.Dispose();
        Flush();
        base.Dispose(disposing);
    }

    private TimeSpan UntilEnd => _period.End - _time.GetUtcNow() is var left && left > TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1);

    private Permit Grant(in Ask ask, PermitMode mode)
    {
        _granted += ask.Cost;
        Volatile.Write(ref _lastGrant, _time.GetTimestamp());
        _series.Ready(ask.Lane, mode, ask.Cost);
        return Permit.Granted(mode, ask.Cost);
    }

    private Permit Refuse(in Ask ask, PermitRefusal reason)
    {
        lock (_lock)
        {
            _refused++;
            _series.Refused(ask.Lane, reason);
            return Permit.Refused(reason, reason == PermitRefusal.QuotaUsed ? UntilEnd : TimeSpan.FromSeconds(1));
        }
    }

    // What is counted of the old period and not told yet belongs to it no more: some permits, in the vendor's favour or ours.
    private void Roll()
    {
        var now = _time.GetUtcNow();
        if (now >= _period.End)
        {
            _period = CalendarPeriod.At(now, _quota.Period, _quota.Zone);
            (_used, _debt, _allowance, _told) = (0, 0, 0, 0);
        }
    }

    private void Flush()
    {
        lock (_lock)
        {
            Roll();
            if (_store is null || (_debt == 0 && !_isAway))
            {
                return;
            }
        }

        _ = AskAsync(0).AsTask();
    }

    private async ValueTask<QuotaReply?> AskAsync(int want)
    {
        long debt;
        CalendarPeriod period;
        lock (_lock)
        {
            (debt, period) = (_debt, _period);
            _inFlight += debt;
            _debt = 0;
        }

        var reply = await _store!.AskAsync(period.Start, period.End - _time.GetUtcNow() + KeepAfter, debt, want);
        lock (_lock)
        {
            _inFlight -= debt;
            if (period != _period)
            {
                return reply;
            }

            _isAway = reply is null;
            if (reply is { } told)
            {
                (_used, _live, _allowedAt) = (told.Used, told.Live, _time.GetTimestamp());
                _allowance = Math.Max(0, _quota.Permits - told.Used) / 4 / Math.Max(1, told.Live);
            }
            else
            {
                // Told again until it is heard: what was sent counts, if perhaps twice.
                _debt += debt;
            }

            Tell();
        }

        return reply;
    }

    private void Tell()
    {
        var share = (double)(_used + _debt + _inFlight) / _quota.Permits;
        _series.QuotaUsed(share);
        _series.State(0, Math.Max(0, _quota.Permits - _used - _debt - _inFlight), _live, 0, _isAway);
        while (_told < _quota.AlertAt.Count && share >= _quota.AlertAt[_told])
        {
            Log.Reached(_logger, Name, (int)(_quota.AlertAt[_told] * 100), _quota.ToString(), _period.End);
            _told++;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(820, LogLevel.Warning, "Of the limit {Limit} {Percent} % are used ({Plan}); it begins anew at {End}")]
        public static partial void Reached(ILogger logger, string limit, int percent, string plan, DateTimeOffset end);
    }
}
