using SendProxy.Sending.RateLimiting.Clocks;
using SendProxy.Sending.RateLimiting.Feedback;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>
/// One process's part of one limit, as a state machine. Events change its state; what is to be done comes out: which requests to let
/// go, which call to make, and when to look again. It reads no clock and calls nobody, so that the same code runs in production and in
/// a simulation of many. All times are of one monotonic clock. Not safe for threads. docs/decisions/0013.
/// </summary>
internal sealed partial class RateLimiterStateMachine
{
    /// <summary>Debits are told at most so often.</summary>
    public static readonly Microseconds FlushEvery = new(10_000);

    /// <summary>An allowance ends when the reply that it came from is out of date: sooner than the store forgets a process that is silent.</summary>
    public static readonly Microseconds AllowanceLife = Microseconds.FromSeconds(2.5);

    private static readonly Microseconds UrgentAgain = new(20_000);

    // In a block a process looks so often whether an operator has ended it: a message that says so may be lost.
    private static readonly Microseconds LookInBlockEvery = Microseconds.FromSeconds(5);

    // A request that may not wait at all still waits for the store's first reply, which comes sooner than this.
    private static readonly Microseconds FirstAnswerWait = Microseconds.FromSeconds(5);

    private const double PostPaidFrom = 0.4;
    private const double PostPaidUntil = 0.25;

    private readonly string _process;
    private readonly bool _isShared;
    private readonly PriorityWaitQueue _line;
    private readonly DegradedModePacer _share;
    private readonly Queue<(Microseconds Due, Microseconds At, double Level)> _slots = new();
    private readonly List<Microseconds> _returned = [];
    private bool _inFlight;
    private bool _hasTicket;
    private double _debt;
    private double _debtInFlight;
    private Microseconds _comeBack;
    private Microseconds _urgentDenied;
    private Microseconds _lastCall = Microseconds.LongAgo;
    private Microseconds _validUntil = Microseconds.LongAgo;
    private Microseconds _nextScan = Microseconds.Never;
    private Microseconds _lastUntil;
    private Microseconds? _throttledFor;
    private bool _isCapped;
    private bool _unblocks;
    private ProbeResult _probe;
    private bool _isProbingAway;
    private Microseconds _nextProbeAway;
    private Microseconds _lifted;
    private long _calls;
    private long _answeredCalls;
    private RateLimitCall? _made;
    private Microseconds _replyAt;
    private RateLimitReply? _reply;
    private Waiter? _filling;
    private (long Epoch, double Permits) _correction;
    private WindowBoundary? _edge;

    /// <param name="process">Unique in the fleet.</param>
    /// <param name="isShared">Other processes share the limit.</param>
    /// <param name="fleetSize">How many processes there are, before that is known.</param>
    /// <param name="draw">Uniform in [0, 1).</param>
    public RateLimiterStateMachine(string process, LimitParameters parameters, LaneTable lanes, bool isShared, int fleetSize, Func<double> draw)
    {
        (_process, _isShared, Parameters) = (process, isShared, parameters);
        _line = new PriorityWaitQueue(lanes);
        _share = new DegradedModePacer(fleetSize, draw);
    }

    /// <summary>As the plan and the vendor's answers have it.</summary>
    public LimitParameters Parameters { get; private set; }

    /// <summary>The vendor's own windows are counted.</summary>
    public bool IsInWindow => _reply is { InWindow: true } && !IsAway;

    /// <summary>What is kept to now.</summary>
    public LimitParameters InForce => IsInWindow ? Parameters.InWindow : Parameters;

    /// <summary>Redis away: nothing goes out rather than this process's share.</summary>
    public bool IsClosedWhenAway { get; init; }

    /// <summary>A 429 lowers the rate for a while.</summary>
    public bool Learns { get; init; } = true;

    /// <summary>No block lasts longer.</summary>
    public Microseconds LongestBlock { get; init; } = Microseconds.Never;

    /// <summary>A reply that took longer was waited for by a process that stood still: its permits are out of date.</summary>
    public Microseconds ReplyLife { get; init; } = Microseconds.Never;

    /// <summary>What is to be told to whom; the reader empties it.</summary>
    public List<(Waiter Waiter, Permit Permit)> Ended { get; } = [];

    /// <summary>A call to be made; the reader takes it with <see cref="TakeCall"/>.</summary>
    public RateLimitCall? Call { get; private set; }

    /// <summary>When <see cref="Advance"/> is to be called at the latest.</summary>
    public Microseconds WakeAt { get; private set; } = Microseconds.Never;

    public int Waiting => _line.Count + (_filling is null ? 0 : 1);

    public Microseconds BlockedUntil { get; private set; }

    /// <summary>Each process keeps to its share.</summary>
    public bool IsAway => Mode == LimiterMode.Degraded;

    public LimiterMode Mode { get; private set; }

    /// <summary>Hears of each change of <see cref="Mode"/>.</summary>
    public Action<LimiterMode, LimiterMode>? OnTransition { get; init; }

    /// <summary>The last reply; null before the first.</summary>
    public RateLimitReply? Known => _reply;

    /// <summary>How many may go out now without being asked for.</summary>
    public int Credit(Microseconds now) => IsPostPaid && Waiting == 0 && now < _validUntil && now >= BlockedUntil && !IsAway
        ? (int)Math.Max(0, Math.Floor(_reply!.Allowance - _debt - _debtInFlight))
        : 0;

    /// <summary>Process clock's time of <see cref="Known"/>.</summary>
    public Microseconds KnownAt => _replyAt;

    /// <summary>How many processes share the limit, as far as is known.</summary>
    public int Live => _share.Live;

    /// <summary>There is room: permits go out first and are told behind.</summary>
    public bool IsPostPaid => Mode == LimiterMode.PostPaid;

    /// <summary>Until when <see cref="Credit"/> holds.</summary>
    public Microseconds CreditUntil => _validUntil;

    /// <summary>What is left in the bucket after what went out since.</summary>
    public double Level => (_reply?.Level ?? 0) - _debt - _debtInFlight;

    public long Epoch => _reply?.Epoch ?? -1;

    /// <summary>Permits of <see cref="Credit"/> that were used.</summary>
    public void OnSpent(double permits) => _debt += permits;

    /// <summary>A permit was not used after all.</summary>
    public void OnGivenBack(Microseconds now, Permit permit)
    {
        _probe = permit.IsProbe ? ProbeResult.NotSent : _probe;
        if (permit.Mode == PermitMode.Share)
        {
            _share.GiveBack(Parameters, permit.Cost);
        }
        else if (IsPostPaid)
        {
            _debt -= permit.Cost;
        }
        else if (_reply is { } reply)
        {
            for (var i = 0; i < permit.Cost; i++)
            {
                _returned.Add((reply.Now + (now - _replyAt)).Floor());
            }
        }

        Advance(now);
    }

    /// <summary>How long a request would wait that came now.</summary>
    public Microseconds Predict(Microseconds now, Lane lane, int cost)
    {
        var blocked = Microseconds.Max(Microseconds.Zero, BlockedUntil - now);
        var before = _line.Before(lane) + (_filling?.Missing ?? 0);
        if (IsAway)
        {
            return Microseconds.Max(blocked, _share.Predict(now, Parameters, before + cost));
        }

        var missing = before + cost - _slots.Count;
        if (missing <= 0 && _slots.Count > 0)
        {
            return Microseconds.Max(blocked, _slots.ElementAt((int)Math.Max(0, before + cost - 1)).Due - now);
        }

        if (_reply is not { } reply || (blocked == Microseconds.Zero && missing <= Credit(now)))
        {
            return blocked;
        }

        // An idle limit has filled up again since it was heard of.
        var rate = InForce.Rate * reply.Multiplier;
        var idle = Math.Max(0, (now - _replyAt).Seconds) * rate;
        var ready = _comeBack > now ? 0 : Math.Clamp(Level + (_line.Count == 0 ? idle : 0), 0, Parameters.Base);
        var step = Microseconds.FromSeconds(Math.Max(1, reply.Active) / rate);
        var wait = Microseconds.Max(Microseconds.Zero, _comeBack - now) + (Math.Max(0, missing - ready - (_comeBack > now ? 1 : 0)) * step);
        return Microseconds.Max(blocked + (blocked > Microseconds.Zero ? missing * step : Microseconds.Zero), wait);
    }

    /// <summary>A request that cannot go at once.</summary>
    public void OnRequest(Microseconds now, Waiter waiter)
    {
        if (IsAway && IsClosedWhenAway)
        {
            End(waiter, Permit.Refused(PermitRefusal.Closed, TimeSpan.FromSeconds(1)));
            return;
        }

        var wait = Predict(now, waiter.Lane, waiter.Cost);
        if (now + wait > waiter.Until)
        {
            End(waiter, Permit.Refused(PermitRefusal.WaitTooLong, wait.ToRetryAfter()));
            return;
        }

        waiter.FirstCall = _calls + 1;
        _line.Add(waiter);
        _nextScan = Microseconds.Min(_nextScan, waiter.Until);
        _lastUntil = _line.Count == 1 ? waiter.Until : Microseconds.Max(_lastUntil, waiter.Until);
        Advance(now);
    }

    /// <summary>A request that no longer waits. What it had collected goes back.</summary>
    public void OnCancelled(Microseconds now, Waiter waiter)
    {
        _line.Remove(waiter);
        if (_filling == waiter)
        {
            _filling = null;
        }

        for (; waiter.Collected > 0; waiter.Collected--)
        {
            OnGivenBack(now, Permit.Granted(IsAway ? PermitMode.Share : PermitMode.Reserved, 1));
        }

        Advance(now);
    }

    /// <summary>All that wait, at the end.</summary>
    public void OnDisposed()
    {
        EndWaiting(_ => true, w => Permit.Refused(PermitRefusal.Disposed, TimeSpan.FromSeconds(1)));
        Enter(LimiterMode.Closed);
    }

    /// <summary>What the vendor's answer to a permit of <paramref name="epoch"/> changes.</summary>
    /// <param name="drift">It has less (positive) or more left than was thought; 0: as much.</param>
    /// <param name="edge">Null where nothing new was seen.</param>
    public void OnFeedback(LimitParameters parameters, long epoch, double drift, WindowBoundary? edge)
    {
        Parameters = parameters;
        _correction = drift != 0 ? (epoch, drift) : _correction;
        _edge = edge ?? _edge;
    }

    public RateLimitCall? TakeCall()
    {
        var call = Call;
        Call = null;
        return call;
    }

    // The only place that changes the state; what is closed stays so.
    private void Enter(LimiterMode next)
    {
        if (next != Mode && Mode != LimiterMode.Closed)
        {
            OnTransition?.Invoke(Mode, next);
            Mode = next;
        }
    }

    private void EndWaiting(Func<Waiter, bool> which, Func<Waiter, Permit> answer)
    {
        if (_filling is { } filling && which(filling))
        {
            _filling = null;
            End(filling, answer(filling));
        }

        foreach (var waiter in _line.RemoveAll(which))
        {
            End(waiter, answer(waiter));
        }
    }

    private void End(Waiter waiter, Permit permit) => Ended.Add((waiter, permit));

    private void Wake(Microseconds at) => WakeAt = Microseconds.Min(WakeAt, at);
}
