using SendProxy.Sending.RateLimiting.Clocks;
using SendProxy.Sending.RateLimiting.Feedback;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>
/// Keeps one rate of a plan for the fleet, or for this process alone. While there is room a permit is a number counted up: no
/// lock, no allocation, no call. Everything else is <see cref="RateLimiterStateMachine"/>'s, under a lock that is never held over a wait.
/// </summary>
internal sealed partial class FleetRateLimiter : QueueingLimiter
{
    private static readonly TimeSpan Flush = RateLimiterStateMachine.FlushEvery.ToTimeSpan();

    // A clock may stand still for longer than a loan is good for; it has an end all the same.
    private static readonly Microseconds LongestLoan = Microseconds.FromSeconds(1000);
    private static readonly Microseconds LeastRefusalWait = new(1000);

    private readonly RateLimiterStateMachine _machine;
    private readonly ILimitStore<RateLimitCall, RateLimitReply> _store;
    private readonly RateLimitFeedback _vendor;
    private readonly ITimer _flush;
    private long _readyUntil;
    private long _taken;
    private long _upTo;
    private long _told;
    private Shown _shown = new(0, Microseconds.Zero, 0, 1, 1, 1, 0, Microseconds.Zero);
    private double _unlent;
    private long _lentEpoch;
    private int _flushArmed;
    private long _granted;
    private long _lastGrant;
    private bool _disposed;

    /// <param name="process">Unique in the fleet.</param>
    public FleetRateLimiter(LimitOptions options, ILimitStore<RateLimitCall, RateLimitReply> store, string process, LimiterServices services)
        : base(options, services)
    {
        _store = store;
        _lastGrant = Clock.Timestamp;
        _vendor = new RateLimitFeedback(options);
        _machine = new RateLimiterStateMachine(process, _vendor.Parameters, services.Lanes, store.IsShared, services.FleetSize, services.Draw)
        {
            IsClosedWhenAway = options.ClosedWhenAway && store.IsShared,
            Learns = options.Learn == FeedbackMode.Tighten,
            LongestBlock = Microseconds.From(options.MaxBlock),
            ReplyLife = Microseconds.From(store.AnswersWithin) + new Microseconds(RateLimitConstants.Horizon),
        };
        _flush = services.Time.CreateTimer(static limiter => ((FleetRateLimiter)limiter!).OnWake(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Told once it has ended.</summary>
    public Action<FleetRateLimiter>? OnDispose { get; init; }

    public override TimeSpan? IdleDuration
    {
        get
        {
            lock (Sync)
            {
                return _machine.Waiting > 0 ? null : Clock.Since(Volatile.Read(ref _lastGrant));
            }
        }
    }

    public override bool TryTake(in PermitRequest request, out Permit permit)
    {
        if (TryReady(request, out permit))
        {
            return true;
        }

        // A process that is alone knows the whole state and need not ask.
        if (_store.IsShared && !_machine.IsAway)
        {
            permit = default;
            return false;
        }

        var waiter = Enter(request, TimeSpan.Zero, isTry: true);
        if (waiter.Given is null)
        {
            Locked(now => _machine.OnCancelled(now, waiter));
        }

        permit = waiter.Given ?? default;
        return permit is { IsAcquired: true, Cost: > 0 };
    }

    public override TimeSpan Predict(in PermitRequest request)
    {
        lock (Sync)
        {
            Account();
            return _machine.Predict(Now, request.Lane, request.Cost).Ceiling().ToTimeSpan();
        }
    }

    public override TimeSpan BlockedFor(in PermitRequest request)
    {
        lock (Sync)
        {
            return Microseconds.Max(Microseconds.Zero, _machine.BlockedUntil - Now).ToTimeSpan();
        }
    }

    public override void GiveBack(in PermitRequest request, Permit permit)
    {
        if (permit.Cost > 0)
        {
            Locked(now => _machine.OnGivenBack(now, permit));
        }
    }

    public override void Ended(in PermitRequest request, Permit permit, RateLimitFeedbackSample? learned)
    {
        if (permit.IsProbe && learned is not null)
        {
            Locked(now => _machine.OnProbeEnded(now, ProbeResult.Answered));
        }

        if (learned is { } heard && _vendor.Listens)
        {
            Learn(_vendor.Hear(permit, heard, Now), permit.LevelEpoch, _vendor.TakeEdge());
        }
    }

    public override void Throttle(in PermitRequest request, in VendorRefusal refusal)
    {
        if (!_vendor.IsOfThisLimit(refusal, Now) && Options.Learn == FeedbackMode.Tighten)
        {
            Series.Found(new FeedbackFinding(FeedbackFindingKind.Unrelated, 0), applied: true);
            return;
        }

        var (wait, isCapped) = (refusal.Wait, refusal.IsCapped);
        Series.Blocked(wait);
        var (cut, form) = _vendor.Refused(Now);
        if (cut is { } made && Options.Learn == FeedbackMode.Observe)
        {
            Series.Found(made, applied: false);
        }

        Learn(form);
        Locked(now => _machine.OnThrottled(now, Microseconds.Max(Microseconds.Zero, Microseconds.From(wait)), isCapped));
    }

    /// <summary>An operator ends the block.</summary>
    public override bool Unblock()
    {
        Locked(now => _machine.OnUnblocked(now));
        return true;
    }

    /// <summary>Another process was the probe, and the vendor answered it.</summary>
    public void AskAgain() => Locked(now => _machine.OnProbeAnsweredElsewhere(now));

    /// <summary>Another process of the fleet met a 429.</summary>
    public void Block(TimeSpan wait)
    {
        Learn(_vendor.RefusedElsewhere(Now));
        Locked(now =>
        {
            _machine.OnBlocked(now, Microseconds.From(wait));
            _machine.Advance(now);
        });
    }

    private void Learn(FeedbackFinding? finding, long epoch = -1, WindowBoundary? edge = null)
    {
        var tightens = Options.Learn == FeedbackMode.Tighten;
        if (finding is { } found && _vendor.Listens)
        {
            Series.Found(found, tightens);
        }

        if (tightens && (finding is not null || edge is not null))
        {
            Locked(_ => _machine.OnFeedback(_vendor.Parameters, epoch, finding?.Drift ?? 0, edge));
        }
    }

    protected override void Dispose(bool disposing)
    {
        Locked(_ =>
        {
            _disposed = true;
            _machine.OnDisposed();
        });
        _flush.Dispose();
        OnDispose?.Invoke(this);
        base.Dispose(disposing);
    }

    // The ready path: permits that the machine has lent are counted up until they are used; the machine is told a moment later.
    protected override bool TryReady(in PermitRequest request, out Permit permit)
    {
        permit = default;
        if (Clock.Timestamp >= Volatile.Read(ref _readyUntil))
        {
            return false;
        }

        long taken;
        do
        {
            taken = Volatile.Read(ref _taken);
            if (taken + request.Cost > Volatile.Read(ref _upTo))
            {
                return false;
            }
        }
        while (Interlocked.CompareExchange(ref _taken, taken + request.Cost, taken) != taken);

        var mode = _store.IsShared ? PermitMode.Ready : PermitMode.Local;
        Series.Ready(request.Lane, mode, request.Cost);
        var isLast = taken + request.Cost >= Volatile.Read(ref _upTo);
        if (isLast || Interlocked.CompareExchange(ref _flushArmed, 1, 0) == 0)
        {
            // When the loan is used up the machine is told at once: the bucket refills from the time of use.
            _flush.Change(isLast ? TimeSpan.Zero : Flush, Timeout.InfiniteTimeSpan);
        }

        permit = Permit.Granted(mode, request.Cost, Volatile.Read(ref _upTo) - taken - request.Cost + _unlent, Volatile.Read(ref _lentEpoch));
        return true;
    }

    protected override Waiter Enter(PermitRequest request, TimeSpan maxWait) => Enter(request, maxWait, isTry: false);

    private Waiter Enter(PermitRequest request, TimeSpan maxWait, bool isTry)
    {
        Waiter waiter = null!;
        Locked(at =>
        {
            // The wait begins here: the time that the lock took is no wait for a permit.
            waiter = new Waiter(request.Lane, request.Cost, request.IsRepeat, at, at + Microseconds.Max(Microseconds.Zero, Microseconds.From(maxWait))) { IsTry = isTry };
            if (_disposed)
            {
                waiter.End(Permit.Refused(PermitRefusal.Disposed, TimeSpan.FromSeconds(1)));
            }
            else if (_machine.Waiting >= Options.MaxWaiting && _machine.Waiting > 0)
            {
                var wait = Microseconds.Max(LeastRefusalWait, _machine.Predict(at, request.Lane, request.Cost)).ToTimeSpan();
                Refuse(waiter, Permit.Refused(PermitRefusal.QueueFull, wait));
            }
            else
            {
                _machine.OnRequest(at, waiter);
            }
        });
        return waiter;
    }

    protected override void Leave(Waiter waiter, CancellationToken token)
    {
        Locked(now => _machine.OnCancelled(now, waiter));
        waiter.Cancel(token);
    }

    protected override void OnWake()
    {
        Volatile.Write(ref _flushArmed, 0);
        Locked(now => _machine.Advance(now));
    }
}
