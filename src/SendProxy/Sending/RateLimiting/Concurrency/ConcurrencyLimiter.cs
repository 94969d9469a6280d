using System.Threading.RateLimiting;
using SendProxy.Sending.RateLimiting.Clocks;
using SendProxy.Sending.RateLimiting.Feedback;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Sending.RateLimiting.Concurrency;

/// <summary>
/// At most so many requests at the vendor at once, of the fleet or of this process alone. A permit is held until its request has
/// ended. While the process holds free slots (<see cref="ConcurrencyShare"/>) nothing is asked; no lock is held over a wait.
/// </summary>
internal sealed partial class ConcurrencyLimiter : QueueingLimiter
{
    private const double MeanPart = 0.05;
    private static readonly Microseconds LookAgain = new(1_000);

    // A request that may not wait at all still waits for the store's first reply, which comes sooner than this.
    private static readonly Microseconds FirstAnswerWait = Microseconds.FromSeconds(5);

    private readonly ILimitStore<ConcurrencyCall, ConcurrencyReply> _store;
    private readonly ConcurrencyShare _lease;
    private readonly PriorityWaitQueue _line;
    private Waiter? _first;
    private Microseconds _armedFor = Microseconds.Never;
    private Microseconds _nextLate = Microseconds.Never;
    private Microseconds _meanHeld;
    private long _granted;
    private Microseconds _idleSince;
    private bool _disposed;

    public ConcurrencyLimiter(LimitOptions options, ILimitStore<ConcurrencyCall, ConcurrencyReply> store, LimiterServices services)
        : base(options, services)
    {
        _store = store;
        _line = new PriorityWaitQueue(services.Lanes);
        _lease = new ConcurrencyShare(options.Concurrent, store.IsShared, services.FleetSize, options.ClosedWhenAway && store.IsShared, options.MaxBlock);
        if (!store.IsShared)
        {
            Look();
        }
    }

    /// <summary>Told once it has ended.</summary>
    public Action<ConcurrencyLimiter>? OnDispose { get; init; }

    public override TimeSpan? IdleDuration
    {
        get
        {
            lock (Sync)
            {
                return Waiting > 0 || _lease.Used > 0 ? null : (Now - _idleSince).ToTimeSpan();
            }
        }
    }

    private int Waiting => _line.Count + (_first is null ? 0 : 1);

    private int Missing => _line.Permits + (_first?.Cost ?? 0);

    private PermitMode Mode => _lease.IsAway ? PermitMode.Share : _store.IsShared ? PermitMode.Ready : PermitMode.Local;

    public override bool TryTake(in PermitRequest request, out Permit permit)
    {
        (ConcurrencyCall Call, Microseconds At)? call;
        lock (Sync)
        {
            var (now, cost) = (Now, Cost(request));
            if (_disposed || Waiting > 0 || _lease.Free(now) < cost)
            {
                permit = default;
                return false;
            }

            permit = Grant(now, cost);
            Series.Ready(request.Lane, permit.Mode, cost);
            call = Settle(now);
        }

        Send(call);
        return true;
    }

    public override TimeSpan Predict(in PermitRequest request)
    {
        lock (Sync)
        {
            return Predict(Now, request.Lane, Cost(request)).Ceiling().ToTimeSpan();
        }
    }

    public override TimeSpan BlockedFor(in PermitRequest request)
    {
        lock (Sync)
        {
            return Microseconds.Max(Microseconds.Zero, _lease.BlockedUntil - Now).ToTimeSpan();
        }
    }

    public override void GiveBack(in PermitRequest request, Permit permit) => Free(permit, isMeasured: false, isAnswered: false);

    public override void Ended(in PermitRequest request, Permit permit, RateLimitFeedbackSample? learned) =>
        Free(permit, isMeasured: true, isAnswered: learned is not null);

    public override void Throttle(in PermitRequest request, in VendorRefusal refusal)
    {
        var (wait, isCapped) = (refusal.Wait, refusal.IsCapped);
        Series.Blocked(wait);
        if (Options.Learn == FeedbackMode.Observe)
        {
            Series.Found(new FeedbackFinding(FeedbackFindingKind.Limit, 0), applied: false);
        }

        Locked(now => _lease.Throttle(now, wait > TimeSpan.Zero ? wait : TimeSpan.Zero, isCapped));
    }

    /// <summary>An operator ends the block.</summary>
    public override bool Unblock()
    {
        Locked(_lease.Unblock);
        return true;
    }

    /// <summary>Asks the fleet's store: it can be reached again, or has news.</summary>
    public void Look() => Locked(_ => _lease.Told());

    /// <summary>Another process waits for slots.</summary>
    public void LookWhetherIdle() => Locked(_ => _lease.ToldShort());

    /// <summary>Another process of the fleet met a 429.</summary>
    public void Block(TimeSpan wait) => Locked(now => _lease.Block(now + Microseconds.From(wait)));

    public override RateLimiterStatistics GetStatistics()
    {
        lock (Sync)
        {
            return new RateLimiterStatistics
            {
                CurrentAvailablePermits = Waiting > 0 ? 0 : _lease.Free(Now),
                CurrentQueuedCount = Waiting,
                TotalSuccessfulLeases = _granted,
                TotalFailedLeases = RefusedCount,
            };
        }
    }

    public override IEnumerable<LimitView> Views()
    {
        lock (Sync)
        {
            var now = Now;
            var mode = now < _lease.BlockedUntil ? "blocked" : _lease.IsProbing ? "probing" : _lease.IsAway ? Options.ClosedWhenAway ? "closed" : "share" : _store.IsShared ? "ready" : "local";
            var why = _lease.Bound < Options.Concurrent ? $" ({(double)_lease.Bound / Options.Concurrent:0%} since the vendor refused)" : "";
            return
            [
                new LimitView(
                    Name, Options.Plan, mode, $"{_lease.Bound} at once{why}, {_lease.Used} of {_lease.Cap(now)} here in use", _granted,
                    _lease.Free(now), Waiting, _lease.Live, Math.Max(0, (_lease.BlockedUntil - now).Seconds), null, null, null),
            ];
        }
    }

    protected override void Dispose(bool disposing)
    {
        bool first;
        lock (Sync)
        {
            (first, _disposed) = (!_disposed, true);
            EndWaiting(_ => true, _ => Permit.Refused(PermitRefusal.Disposed, TimeSpan.FromSeconds(1)));
        }

        if (first)
        {
            OnDispose?.Invoke(this);
            if (_store.IsShared)
            {
                _ = _store.AskAsync(_lease.Leave()).AsTask();
            }
        }

        base.Dispose(disposing);
    }

    // A request that needs more slots than there are at all goes alone.
    private int Cost(in PermitRequest request) => Math.Min(request.Cost, _lease.Bound);

    private Permit Grant(Microseconds now, int cost)
    {
        _lease.Take(cost);
        _granted += cost;
        return Permit.Granted(Mode, cost) with { GrantedAt = now };
    }

    private void Free(Permit permit, bool isMeasured, bool isAnswered)
    {
        if (permit.Cost <= 0)
        {
            return;
        }

        (ConcurrencyCall Call, Microseconds At)? call;
        lock (Sync)
        {
            var now = Now;
            _lease.Return(permit.Cost);
            _idleSince = now;
            if (isAnswered)
            {
                _lease.Answered();
            }

            if (isMeasured)
            {
                var held = now - permit.GrantedAt;
                _meanHeld = _meanHeld == Microseconds.Zero ? held : _meanHeld + (MeanPart * (held - _meanHeld));
            }

            call = Settle(now);
        }

        Send(call);
    }

    private Microseconds Predict(Microseconds now, Lane lane, int cost)
    {
        var blocked = Microseconds.Max(Microseconds.Zero, _lease.BlockedUntil - now);
        var needed = _line.Before(lane) + (_first?.Cost ?? 0) + cost;
        var free = Math.Max(0, _lease.Cap(now) - _lease.Used);
        if (needed <= free || _lease.IsUnknown || (CanAsk(now) && needed <= _lease.Expected(now) - _lease.Used))
        {
            return blocked;
        }

        // Slots become free one after the other; on average a request holds one for the mean time measured here.
        return blocked + ((needed - free) * _meanHeld / Math.Max(1, _lease.Expected(now)));
    }

    protected override bool TryReady(in PermitRequest request, out Permit permit) => TryTake(request, out permit);

    protected override Waiter Enter(PermitRequest request, TimeSpan maxWait)
    {
        Waiter waiter = null!;
        Locked(now =>
        {
            waiter = new Waiter(request.Lane, Cost(request), request.IsRepeat, now, now + Microseconds.Max(Microseconds.Zero, Microseconds.From(maxWait)));
            var wait = Predict(now, request.Lane, waiter.Cost);
            if (_disposed)
            {
                Refuse(waiter, Permit.Refused(PermitRefusal.Disposed, TimeSpan.FromSeconds(1)));
            }
            else if (_lease.IsAway && Options.ClosedWhenAway)
            {
                Refuse(waiter, Permit.Refused(PermitRefusal.Closed, TimeSpan.FromSeconds(1)));
            }
            else if (Waiting >= Options.MaxWaiting && (Waiting > 0 || _lease.Free(now) < waiter.Cost))
            {
                Refuse(waiter, Permit.Refused(PermitRefusal.QueueFull, wait.ToRetryAfter()));
            }
            else if (now + wait > waiter.Until || (waiter.Until <= now && _lease.Free(now) < waiter.Cost + Missing && !CanAsk(now)))
            {
                Refuse(waiter, Permit.Refused(PermitRefusal.WaitTooLong, wait.ToRetryAfter()));
            }
            else
            {
                waiter.FirstCall = _lease.Calls.Made + 1;
                _line.Add(waiter);
                _nextLate = Microseconds.Min(_nextLate, waiter.Until);
            }
        });
        return waiter;
    }

    protected override void Leave(Waiter waiter, CancellationToken token) => Locked(_ =>
    {
        if (!waiter.Task.IsCompleted)
        {
            _line.Remove(waiter);
            _first = _first == waiter ? null : _first;
            waiter.Cancel(token);
        }
    });

    protected override void OnWake() => Locked(_ => _armedFor = Microseconds.Never);

}
