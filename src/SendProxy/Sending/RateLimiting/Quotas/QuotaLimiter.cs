using System.Threading.RateLimiting;

namespace SendProxy.Sending.RateLimiting.Quotas;

/// <summary>
/// So many permits in a calendar period; nobody waits for one. In a fleet a process leases a small part of what is left and reports after
/// the send what it used; near the end it asks for each permit. A process that is alone holds all of them, and starts again with a full quota.
/// </summary>
internal sealed partial class QuotaLimiter : PlanLimiter
{
    private static readonly TimeSpan TellEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(5);

    // A shorter time than the fleet keeps the lease.
    private static readonly TimeSpan LeaseLife = TimeSpan.FromSeconds(20);

    private const int LeaseMin = 4;

    private readonly QuotaOptions _quota;
    private readonly ILimitStore<QuotaCall, QuotaReply>? _store;
    private readonly int _fleetSize;
    private readonly TimeProvider _time;
    private readonly LimitMetrics.Series _series;
    private readonly ILogger _logger;
    private readonly ITimer _tell;
    private readonly Lock _lock = new();
    private CalendarPeriod _period;
    private TimeSpan _clockOffset;
    private long _lease;
    private DateTimeOffset _leaseUntil;
    private long _debt;
    private long _number;
    private QuotaCall? _telling;
    private bool _inFlight;
    private QuotaReply? _reply;
    private long _usedHere;
    private int _told;
    private bool _isAway;
    private long _awayLeft;
    private long _granted;
    private long _refused;
    private bool _disposed;

    /// <param name="store">Null: this process is alone.</param>
    public QuotaLimiter(LimitOptions options, ILimitStore<QuotaCall, QuotaReply>? store, LimiterServices services, ILogger logger)
        : base(options, services.Lanes)
    {
        (_quota, _store, _logger) = (options.Quota!, store, logger);
        (_fleetSize, _time, _series) = (Math.Max(1, services.FleetSize), services.Time, services.Series);
        Turn(Now);
        var first = store is null ? Timeout.InfiniteTimeSpan : RenewEvery;
        _tell = _time.CreateTimer(static limiter => ((QuotaLimiter)limiter!).OnTimer(), this, first, first);
    }

    /// <summary>Told once it has ended.</summary>
    public Action<QuotaLimiter>? OnDispose { get; init; }

    public override TimeSpan? IdleDuration => null;

    private DateTimeOffset Now => _time.GetUtcNow() + _clockOffset;

    public override bool TryTake(in PermitRequest request, out Permit permit)
    {
        permit = default;
        lock (_lock)
        {
            var now = Now;
            Turn(now);
            var mode = _store is null ? PermitMode.Local : PermitMode.Ready;
            if (_isAway)
            {
                if (Options.ClosedWhenAway || _awayLeft < request.Cost)
                {
                    return false;
                }

                _awayLeft -= request.Cost;
                (_debt, mode) = (_debt + request.Cost, PermitMode.Share);
            }
            else if (now < _leaseUntil && _lease >= request.Cost && !_disposed)
            {
                _lease -= request.Cost;
                _debt += request.Cost;
            }
            else
            {
                return false;
            }

            permit = Grant(mode, request.Cost);
            _series.Ready(request.Lane, mode, request.Cost);
            Show();
            if (_store is not null)
            {
                _tell.Change(TellEvery, RenewEvery);
            }
        }

        return true;
    }

    public override async ValueTask<Permit> AcquireAsync(PermitRequest request, TimeSpan maxWait, CancellationToken cancellation)
    {
        if (TryTake(request, out var permit))
        {
            return permit;
        }

        cancellation.ThrowIfCancellationRequested();
        CalendarPeriod period;
        QuotaCall call;
        lock (_lock)
        {
            if (_disposed || _store is null || _isAway)
            {
                return Refuse(request);
            }

            (period, call) = (_period, new QuotaCall(_period, Now, 0, 0, request.Cost, _reply?.Used ?? 0, _reply?.Number ?? 0, 0));
        }

        var reply = await _store.AskAsync(call);
        lock (_lock)
        {
            Heard(period, reply);
            if (reply is { Granted: > 0 })
            {
                _series.Ready(request.Lane, PermitMode.Reserved, request.Cost);
                return Grant(PermitMode.Reserved, request.Cost) with { QuotaPeriod = period.Start.ToUnixTimeSeconds() };
            }
        }

        return reply is null && TryTake(request, out permit) ? permit : Refuse(request);
    }

    public override TimeSpan Predict(in PermitRequest request)
    {
        lock (_lock)
        {
            return Left < request.Cost ? Until : TimeSpan.Zero;
        }
    }

    public override void GiveBack(in PermitRequest request, Permit permit)
    {
        lock (_lock)
        {
            if (permit.Cost <= 0 || permit.QuotaPeriod != _period.Start.ToUnixTimeSeconds())
            {
                return;
            }

            _usedHere -= permit.Cost;
            _debt -= permit.Cost;
            _lease += _store is null ? permit.Cost : 0;
            _awayLeft += permit.Mode == PermitMode.Share ? permit.Cost : 0;
            Show();
            if (_store is not null)
            {
                _tell.Change(TellEvery, RenewEvery);
            }
        }
    }

    /// <summary>Redis can be reached again.</summary>
    public void Look() => OnTimer();

    public override RateLimiterStatistics GetStatistics()
    {
        lock (_lock)
        {
            return new RateLimiterStatistics
            {
                CurrentAvailablePermits = Left,
                CurrentQueuedCount = 0,
                TotalSuccessfulLeases = _granted,
                TotalFailedLeases = _refused,
            };
        }
    }

    public override IEnumerable<LimitView> Views()
    {
        lock (_lock)
        {
            Turn(Now);
            var mode = _isAway ? Options.ClosedWhenAway ? "closed" : "share" : _store is null ? "local" : "ready";
            return
            [
                new LimitView(
                    Name, Options.Plan, mode, $"{Used} used, until {_period.End:yyyy-MM-dd HH:mm} UTC", _granted, Left, 0, _reply?.Live ?? 1, 0, null, null, null),
            ];
        }
    }

    protected override void Dispose(bool disposing)
    {
        bool isFirst;
        lock (_lock)
        {
            (isFirst, _disposed) = (!_disposed, true);
        }

        if (isFirst)
        {
            _tell.Dispose();
            OnDispose?.Invoke(this);
            _ = TellAsync();
        }

        base.Dispose(disposing);
    }

    private long Used => _store is null ? _usedHere : (_reply?.Used ?? 0) + _debt + (long)(_telling?.Debt ?? 0);

    private long Left => _isAway ? Options.ClosedWhenAway ? 0 : _awayLeft : Math.Max(0, _quota.Permits - Used);

    // Rounded up, so that a timer with whole milliseconds brings nobody back too soon.
    private TimeSpan Until => TimeSpan.FromMilliseconds(Math.Ceiling((_period.End - Now).TotalMilliseconds) + 1);

    private Permit Grant(PermitMode mode, int cost)
    {
        _granted += cost;
        _usedHere += cost;
        return Permit.Granted(mode, cost) with { QuotaPeriod = _period.Start.ToUnixTimeSeconds() };
    }

    private Permit Refuse(in PermitRequest request)
    {
        lock (_lock)
        {
            _refused++;
            var permit = _disposed ? Permit.Refused(PermitRefusal.Disposed, TimeSpan.FromSeconds(1))
                : _isAway && Options.ClosedWhenAway ? Permit.Refused(PermitRefusal.Closed, TimeSpan.FromSeconds(1))
                : Permit.Refused(PermitRefusal.QuotaUsed, _store is not null && !_isAway && Left >= request.Cost ? RenewEvery : Until);
            _series.Refused(request.Lane, permit.Reason);
            return permit;
        }
    }

    // A new period begins with nothing used.
    private void Turn(DateTimeOffset now)
    {
        if (now < _period.End && now >= _period.Start)
        {
            return;
        }

        _period = CalendarPeriod.At(now, _quota.Period, _quota.Zone);
        (_debt, _usedHere, _told, _reply, _telling) = (0, 0, 0, null, null);
        (_lease, _leaseUntil) = _store is null ? (_quota.Permits, DateTimeOffset.MaxValue) : (0, DateTimeOffset.MinValue);
        _awayLeft = _quota.Permits / _fleetSize;
        Show();
    }

    private void OnTimer() => _ = TellAsync();

    private static partial class Log
    {
        [LoggerMessage(230, LogLevel.Warning, "Of limit {Limit} {Share:P0} is used ({Plan})")]
        public static partial void Reached(ILogger logger, string limit, double share, string plan);
    }
}
