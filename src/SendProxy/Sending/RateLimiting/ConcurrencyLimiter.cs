using System.Threading.RateLimiting;
using SendProxy.Sending.RateLimiting.Stores;

namespace SendProxy.Sending.RateLimiting;

/// <summary>
/// At most so many requests at the vendor at once, over the fleet. Each process leases slots and uses them without asking; it
/// asks for more while it still has some, and gives back what it does not need as soon as another is short. A permit is held
/// from its grant to the end of its attempt.
/// </summary>
internal sealed class ConcurrencyLimiter : Limit
{
    private static readonly TimeSpan Renew = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan AskAgain = TimeSpan.FromMilliseconds(50);

    private readonly ISlotStore _store;
    private readonly LimitMetrics.Series _series;
    private readonly TimeProvider _time;
    private readonly WaitLine _line;
    private readonly ITimer _renew;
    private readonly ITimer _look;
    private readonly Lock _lock = new();
    private readonly long _start;
    private int _used;
    private int _leased;
    private int _kept = int.MaxValue;
    private int _live;
    private bool _inFlight;
    private bool _isAway;
    private bool _isAsked;
    private bool _disposed;
    private double _throttled = -1;
    private double _blockedUntil;
    private double _lastCall = double.NegativeInfinity;
    private double _lastUse;
    private double _holdSeconds;
    private SlotReply? _reply;
    private long _granted;
    private long _refused;

    /// <param name="fleetSize">How many processes share the limit, before that is known.</param>
    public ConcurrencyLimiter(LimitOptions options, LaneTable lanes, ISlotStore store, int fleetSize, TimeProvider time, LimitMetrics.Series series)
        : base(options, lanes)
    {
        (_store, _series, _time, _live) = (store, series, time, Math.Max(1, fleetSize));
        _line = new WaitLine(lanes);
        _start = time.GetTimestamp();
        _look = time.CreateTimer(static limiter => ((ConcurrencyLimiter)limiter!).Locked(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _renew = time.CreateTimer(static limiter => ((ConcurrencyLimiter)limiter!).OnRenew(), this, Renew, Renew);
        Locked();
    }

    /// <summary>Told once it has ended.</summary>
    public Action? OnDispose { get; init; }

    public override TimeSpan? IdleDuration
    {
        get
        {
            lock (_lock)
            {
                return _used > 0 || _line.Count > 0 ? null : TimeSpan.FromMicroseconds(Now - _lastUse);
            }
        }
    }

    private double Now => _time.GetElapsedTime(_start).TotalMicroseconds;

    // While a call is under way, only what it said would be used is surely this process's.
    private int Free => Math.Max(0, Math.Min(_leased, _kept) - _used);

    public override bool TryTake(in Ask ask, out Permit permit)
    {
        lock (_lock)
        {
            permit = default;
            if (_disposed || _line.Count > 0 || Now < _blockedUntil || Free < ask.Cost)
            {
                return false;
            }

            permit = Grant(ask.Lane, ask.Cost, null);
        }

        AskAhead();
        return true;
    }

    public override ValueTask<Permit> AcquireAsync(Ask ask, TimeSpan maxWait, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (TryTake(ask, out var permit))
        {
            return new(permit);
        }

        var wait = maxWait < Options.MaxWait ? maxWait : Options.MaxWait;
        var waiter = new Waiter(ask.Lane, ask.Cost, ask.IsRepeat, Now, Now + Math.Max(0, wait.TotalMicroseconds));
        Locked(() => Arrive(waiter));
        if (cancellation.CanBeCanceled && waiter.Given is null)
        {
            waiter.Registration = cancellation.UnsafeRegister(
                static (state, token) =>
                {
                    var (limiter, waiter) = ((ConcurrencyLimiter, Waiter))state!;
                    limiter.Locked(() => limiter._line.Remove(waiter));
                    waiter.Cancel(token);
                },
                (this, waiter));
        }

        return waiter.Given is { } given ? new(given) : new(waiter.Task);
    }

    public override TimeSpan Predict(in Ask ask)
    {
        lock (_lock)
        {
            return PredictLocked(ask.Lane, ask.Cost);
        }
    }

    public override void GiveBack(in Ask ask, Permit permit) => End(permit, null);

    public override void Ended(in Ask ask, Permit permit, Learned? learned) => End(permit, learned);

    public override void Throttle(in Ask ask, TimeSpan wait)
    {
        _series.Blocked(wait);
        Locked(() =>
        {
            _blockedUntil = Math.Max(_blockedUntil, Now + wait.TotalMicroseconds);
            _throttled = Math.Max(_throttled, wait.TotalMilliseconds);
            _isAsked = true;
        });
    }

    /// <summary>What another process published: <c>lost</c>, <c>short</c>, <c>free PROCESS</c>, <c>block MILLISECONDS</c>.</summary>
    public void Hear(string what, bool isForThis) => Locked(() =>
    {
        if (what.StartsWith("block ", StringComparison.Ordinal)
            && double.TryParse(what[6..], System.Globalization.CultureInfo.InvariantCulture, out var milliseconds))
        {
            _blockedUntil = Math.Max(_blockedUntil, Now + (milliseconds * 1000));
        }

        _isAsked |= what == "lost" || isForThis || (what == "short" && Free > 0);
    });

    public override RateLimiterStatistics GetStatistics()
    {
        lock (_lock)
        {
            return new RateLimiterStatistics
            {
                CurrentAvailablePermits = Now < _blockedUntil ? 0 : Free,
                CurrentQueuedCount = _line.Count,
                TotalSuccessfulLeases = _granted,
                TotalFailedLeases = _refused,
            };
        }
    }

    public override IEnumerable<LimitView> Views()
    {
        lock (_lock)
        {
            var mode = Now < _blockedUntil ? "blocked" : _isAway ? Options.ClosedWhenAway ? "closed" : "share" : !_store.IsShared ? "local" : _line.Count > 0 ? "reserved" : "ready";
            var bound = _reply?.Bound ?? Options.Concurrent;
            return
            [
                new LimitView(Name, Options.Plan, mode, $"{bound} at once, {_leased} of them here, {_used} in use", _granted, Free, _line.Count, _live,
                    Math.Max(0, (_blockedUntil - Now) / 1e6), null, null, null),
            ];
        }
    }

    protected override void Dispose(bool disposing)
    {
        Locked(() =>
        {
            _disposed = true;
            EndWaiting(_ => true, PermitRefusal.Disposed, TimeSpan.FromSeconds(1));
        });
        _look.Dispose();
        _renew.Dispose();
        OnDispose?.Invoke();
        if (_store.IsShared)
        {
            _ = _store.AskAsync(new SlotCall(0, 0, false, -1, _reply?.Number ?? 0, _live, false, Leaves: true)).AsTask();
        }

        base.Dispose(disposing);
    }

    private void Arrive(Waiter waiter)
    {
        var wait = PredictLocked(waiter.Lane, waiter.Cost);
        var reason = _disposed ? PermitRefusal.Disposed
            : _isAway && Options.ClosedWhenAway ? PermitRefusal.Closed
            : waiter.Cost > Options.Concurrent || waiter.Until <= Now || Now + wait.TotalMicroseconds > waiter.Until ? PermitRefusal.WaitTooLong
            : _line.Count >= Options.MaxWaiting && _line.Count > 0 ? PermitRefusal.QueueFull
            : PermitRefusal.None;
        if (reason != PermitRefusal.None)
        {
            Refuse(waiter, reason, wait);
            return;
        }

        _line.Add(waiter);
    }

    private TimeSpan PredictLocked(Lane lane, int cost)
    {
        var missing = _line.Before(lane) + cost - Free;
        var blocked = Math.Max(0, (_blockedUntil - Now) / 1e6);
        return TimeSpan.FromSeconds(blocked + (missing <= 0 ? 0 : Math.Ceiling(missing / Math.Max(1, _leased)) * _holdSeconds));
    }

    private void End(Permit permit, Learned? learned)
    {
        if (permit.Cost <= 0)
        {
            return;
        }

        Locked(() =>
        {
            _used -= permit.Cost;
            if (learned is { } heard)
            {
                _holdSeconds += (heard.Delay.TotalSeconds - _holdSeconds) * 0.1;
            }

            _isAsked |= _reply is { Short: > 0 } && Free > 0 && _leased > _reply.Fair;
        });
    }

    private Permit Grant(Lane lane, int cost, double? waitedSeconds)
    {
        _used += cost;
        _granted += cost;
        _lastUse = Now;
        var mode = _isAway ? PermitMode.Share : !_store.IsShared ? PermitMode.Local : waitedSeconds is null ? PermitMode.Ready : PermitMode.Reserved;
        if (waitedSeconds is { } waited)
        {
            _series.Granted(lane, mode, cost, waited);
        }
        else
        {
            _series.Ready(lane, mode, cost);
        }

        return Permit.Granted(mode, cost);
    }

    private void OnRenew() => Locked(() => _isAsked = true);

    // The last free slot but some: more are asked for before they are missed.
    private void AskAhead()
    {
        if (_store.IsShared && Free == 0 && Now - _lastCall > AskAgain.TotalMicroseconds)
        {
            Locked(() => _isAsked = true);
        }
    }

    private void Locked(Action? change = null)
    {
        SlotCall? call;
        lock (_lock)
        {
            change?.Invoke();
            call = Pump();
            while (call is not null && _store.AskNow(call) is { } reply)
            {
                Replied(reply);
                call = Pump();
            }
        }

        if (call is not null)
        {
            _ = CallAsync(call);
        }
    }

    private async Task CallAsync(SlotCall call)
    {
        var reply = await _store.AskAsync(call);
        Locked(() => Replied(reply));
    }

    private void Replied(SlotReply? reply)
    {
        (_inFlight, _kept) = (false, int.MaxValue);
        _isAway = reply is null;
        if (reply is not null)
        {
            (_reply, _leased, _live) = (reply, reply.Leased, reply.Held > 0 ? Math.Max(_live, reply.Live) : reply.Live);
            _blockedUntil = Math.Max(_blockedUntil, reply.Blocked > 0 ? Now + (reply.Blocked * 1000) : 0);
            return;
        }

        // Its part of the plan; who comes first by name takes what does not divide.
        var bound = _reply?.Bound ?? Options.Concurrent;
        _leased = Options.ClosedWhenAway ? 0 : (bound / _live) + (_reply is { } known && known.Rank < bound % _live ? 1 : 0);
        if (Options.ClosedWhenAway)
        {
            EndWaiting(_ => true, PermitRefusal.Closed, TimeSpan.FromSeconds(1));
        }
    }

    // Lets go whom it may; the call to be made, or null.
    private SlotCall? Pump()
    {
        EndWaiting(w => w.Until < Now, PermitRefusal.WaitTooLong, TimeSpan.FromSeconds(Math.Max(0.001, _holdSeconds)));
        while (!_disposed && _line.Count > 0 && Now >= _blockedUntil && _line.Take(Now) is { } next)
        {
            if (next.Cost > Free)
            {
                _line.AddFirst(next);
                break;
            }

            next.End(Grant(next.Lane, next.Cost, (Now - next.Since) / 1e6));
        }

        _series.State(_line.Count, Free, _live, _reply?.Bound ?? Options.Concurrent, _isAway);
        if (_line.Count > 0)
        {
            _look.Change(LookEvery, Timeout.InfiniteTimeSpan);
        }

        var isShort = _line.Permits > Free;
        var due = _reply is null || _isAsked || (isShort && (Now - _lastCall) >= AskAgain.TotalMicroseconds && _store.IsShared);
        if (!due || _inFlight || _disposed)
        {
            return null;
        }

        // What is idle goes back when others are short of it; else some are kept for the next ones.
        var othersShort = _reply is { Short: > 0 };
        var wanted = _used + _line.Permits + (othersShort ? 0 : Math.Max(1, _used / 4));
        _kept = othersShort ? _used : Math.Max(_used, Math.Min(_leased, wanted));
        if (_isAway)
        {
            _kept = _used;
        }

        (_inFlight, _isAsked, _lastCall) = (true, false, Now);
        var call = new SlotCall(_kept, Math.Min(Options.Concurrent, Math.Max(wanted, _kept)), isShort, _throttled, _reply?.Number ?? 0, _live, _isAway, Leaves: false);
        _throttled = -1;
        return call;
    }

    private void EndWaiting(Func<Waiter, bool> which, PermitRefusal reason, TimeSpan wait)
    {
        if (_line.Count == 0)
        {
            return;
        }

        foreach (var waiter in _line.RemoveAll(which))
        {
            Refuse(waiter, reason, wait);
        }
    }

    private void Refuse(Waiter waiter, PermitRefusal reason, TimeSpan wait)
    {
        _refused++;
        _series.Refused(waiter.Lane, reason);
        waiter.End(Permit.Refused(reason, wait > TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(1)));
    }
}
