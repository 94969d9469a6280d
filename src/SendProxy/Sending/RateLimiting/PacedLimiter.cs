using System.Threading.RateLimiting;

namespace SendProxy.Sending.RateLimiting;

/// <summary>
/// Keeps this process inside one limit of a plan. Ready permits are given at once and without allocation; else the wait is
/// predicted, and one that does not fit is refused at once with a true Retry-After. Waiters are served by lane, first come
/// first in a lane, every fifth permit from the lowest lane upwards so that none starves. The fleet limiter takes its place
/// behind the same shape.
/// </summary>
internal sealed class PacedLimiter : RateLimiter
{
    private const int LowLaneTurn = 5;
    private const double CatchUpSeconds = 0.010;

    private readonly LinkedList<Waiter>[] _lanes = [new(), new(), new()];
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly LimitMetrics _metrics;
    private readonly long _start;
    private readonly Pace _pace;
    private double _tat;
    private double _blockedUntil;
    private double _lastGrant;
    private long _granted;
    private long _refused;
    private int _turn;
    private bool _disposed;

    public PacedLimiter(LimitOptions options, TimeProvider time, LimitMetrics metrics)
    {
        Options = options;
        _time = time;
        _metrics = metrics;
        _start = time.GetTimestamp();
        _pace = Pace.For(options.Rate, options.CountsBucket, options.Burst);
        _timer = time.CreateTimer(static state => ((PacedLimiter)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public LimitOptions Options { get; }

    public string Name => Options.Name;

    public override TimeSpan? IdleDuration
    {
        get
        {
            lock (_lock)
            {
                return Waiting > 0 ? null : TimeSpan.FromSeconds(Math.Max(0, Now - Math.Max(_lastGrant, _tat)));
            }
        }
    }

    private double Now => (double)(_time.GetTimestamp() - _start) / _time.TimestampFrequency;

    private int Waiting => _lanes[0].Count + _lanes[1].Count + _lanes[2].Count;

    private double Tolerance => (_pace.Burst - 1) * _pace.IntervalSeconds;

    /// <param name="maxWait">The most that the request can wait; the limit's own maxWait bounds it too.</param>
    /// <returns>A lease that says with RetryAfter when to come back where it is not acquired. It need not be disposed.</returns>
    public ValueTask<Permit> AcquireAsync(Lane lane, TimeSpan maxWait, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        lock (_lock)
        {
            if (_disposed)
            {
                return new(Permit.Refused(PermitRefusal.Disposed, TimeSpan.FromSeconds(1)));
            }

            var now = Now;
            if (!AnyBefore(lane) && TryTake(now))
            {
                _metrics.Granted(Name, lane, 0);
                return new(Permit.Granted);
            }

            var wait = PredictWait(lane, now);
            var allowed = Math.Min(maxWait.TotalSeconds, Options.MaxWait.TotalSeconds);
            if (wait > allowed || Waiting >= Options.MaxWaiting)
            {
                _refused++;
                var reason = wait > allowed ? PermitRefusal.WaitTooLong : PermitRefusal.QueueFull;
                _metrics.Refused(Name, lane, reason);
                return new(Permit.Refused(reason, TimeSpan.FromSeconds(Math.Max(wait, 0.001))));
            }

            return Enqueue(lane, now, now + allowed, cancellation);
        }
    }

    /// <summary>The vendor said 429: nothing goes out before then, and the bucket is empty at its end.</summary>
    public void Block(TimeSpan wait)
    {
        lock (_lock)
        {
            var until = Now + wait.TotalSeconds;
            if (until > _blockedUntil)
            {
                _blockedUntil = until;
                _tat = Math.Max(_tat, until + Tolerance);
                Schedule(Now);
            }
        }

        _metrics.Blocked(Name, wait);
    }

    /// <summary>Gives a permit back that was not used because another limit refused.</summary>
    public void GiveBack()
    {
        lock (_lock)
        {
            _tat -= _pace.IntervalSeconds;
            Schedule(Now);
        }
    }

    public override RateLimiterStatistics GetStatistics()
    {
        lock (_lock)
        {
            var room = _blockedUntil > Now ? 0 : (Now - _tat + Tolerance) / _pace.IntervalSeconds;
            return new RateLimiterStatistics
            {
                CurrentAvailablePermits = (long)Math.Clamp(Math.Floor(room + 1), 0, _pace.Burst),
                CurrentQueuedCount = Waiting,
                TotalSuccessfulLeases = _granted,
                TotalFailedLeases = _refused,
            };
        }
    }

    protected override RateLimitLease AttemptAcquireCore(int permitCount)
    {
        RequireOne(permitCount);
        lock (_lock)
        {
            return !_disposed && Waiting == 0 && (permitCount == 0 ? NextIn(Now) <= 0 : TryTake(Now))
                ? Permit.Granted
                : Permit.Refused(PermitRefusal.WaitTooLong, TimeSpan.FromSeconds(Math.Max(0.001, PredictWait(Lane.Normal, Now))));
        }
    }

    protected override async ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken)
    {
        RequireOne(permitCount);
        return await AcquireAsync(Lane.Normal, Options.MaxWait, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        lock (_lock)
        {
            _disposed = true;
            _timer.Dispose();
            foreach (var waiter in _lanes.SelectMany(l => l))
            {
                waiter.End(Permit.Refused(PermitRefusal.Disposed, TimeSpan.FromSeconds(1)));
            }

            Array.ForEach(_lanes, l => l.Clear());
        }

        base.Dispose(disposing);
    }

    private static void RequireOne(int permits) =>
        ArgumentOutOfRangeException.ThrowIfGreaterThan(permits, 1, nameof(permits));

    private bool AnyBefore(Lane lane)
    {
        for (var i = 0; i <= (int)lane; i++)
        {
            if (_lanes[i].Count > 0)
            {
                return true;
            }
        }

        return false;
    }

    private double NextIn(double now) => Math.Max(_blockedUntil, _tat - Tolerance) - now;

    private bool TryTake(double now)
    {
        if (NextIn(now) > 0)
        {
            return false;
        }

        // A timer fires a little late: time lost to it, up to some milliseconds, is caught up, or the pace falls behind the plan.
        _tat = Math.Max(_tat, now - (_tat > 0 ? CatchUpSeconds : 0)) + _pace.IntervalSeconds;
        _lastGrant = now;
        _granted++;
        return true;
    }

    private double PredictWait(Lane lane, double now)
    {
        var before = 0;
        for (var i = 0; i <= (int)lane; i++)
        {
            before += _lanes[i].Count;
        }

        var low = Waiting - before;
        var turns = low == 0 ? before : Math.Min(before + low, before + (before / (LowLaneTurn - 1)) + 1);
        return Math.Max(0, NextIn(now)) + (turns * _pace.IntervalSeconds);
    }

    private ValueTask<Permit> Enqueue(Lane lane, double now, double until, CancellationToken cancellation)
    {
        var waiter = new Waiter(lane, now, until);
        var node = _lanes[(int)lane].AddLast(waiter);
        waiter.Node = node;
        if (cancellation.CanBeCanceled)
        {
            waiter.Registration = cancellation.UnsafeRegister(
                static (state, token) => ((Action<CancellationToken>)state!)(token), (Action<CancellationToken>)(token => Leave(waiter, token)));
        }

        Schedule(now);
        return new(waiter.Task);
    }

    private void Leave(Waiter waiter, CancellationToken token)
    {
        lock (_lock)
        {
            if (waiter.Node?.List is not null)
            {
                _lanes[(int)waiter.Lane].Remove(waiter.Node);
            }
        }

        waiter.Cancel(token);
    }

    private void OnTimer()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            var now = Now;
            EndLate(now);
            while (Waiting > 0 && TryTake(now))
            {
                var waiter = Next();
                _metrics.Granted(Name, waiter.Lane, now - waiter.Since);
                waiter.End(Permit.Granted);
            }

            Schedule(now);
        }
    }

    private Waiter Next()
    {
        var low = ++_turn % LowLaneTurn == 0;
        for (var i = 0; i < _lanes.Length; i++)
        {
            var lane = _lanes[low ? _lanes.Length - 1 - i : i];
            if (lane.First is { } node)
            {
                lane.RemoveFirst();
                return node.Value;
            }
        }

        throw new System.Diagnostics.UnreachableException("Next is called only while someone waits.");
    }

    // A block or more urgent senders may have pushed a waiter beyond what it can wait: it is told now, not at its deadline.
    private void EndLate(double now)
    {
        var next = Math.Max(0, NextIn(now));
        foreach (var lane in _lanes)
        {
            for (var node = lane.First; node is not null;)
            {
                var (waiter, following) = (node.Value, node.Next);
                if (waiter.Until < now + next)
                {
                    lane.Remove(node);
                    _refused++;
                    _metrics.Refused(Name, waiter.Lane, PermitRefusal.WaitTooLong);
                    waiter.End(Permit.Refused(PermitRefusal.WaitTooLong, TimeSpan.FromSeconds(Math.Max(0.001, next))));
                }

                node = following;
            }
        }
    }

    private void Schedule(double now)
    {
        _metrics.Waiting(Name, Waiting);
        if (Waiting == 0 || _disposed)
        {
            return;
        }

        // Timers count whole milliseconds and cut the rest off: rounded up, or the timer would spin through the last one.
        var milliseconds = Math.Ceiling(Math.Clamp(NextIn(now), 0, 1) * 1000);
        _timer.Change(TimeSpan.FromMilliseconds(Math.Max(1, milliseconds)), Timeout.InfiniteTimeSpan);
    }

    private sealed class Waiter(Lane lane, double since, double until)
    {
        private readonly TaskCompletionSource<Permit> _granted = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Lane Lane => lane;

        public double Since => since;

        public double Until => until;

        public LinkedListNode<Waiter>? Node { get; set; }

        public CancellationTokenRegistration Registration { get; set; }

        public Task<Permit> Task => _granted.Task;

        public void End(Permit permit)
        {
            Registration.Unregister();
            _granted.TrySetResult(permit);
        }

        public void Cancel(CancellationToken token) => _granted.TrySetCanceled(token);
    }
}
