using SendProxy.Sending.RateLimiting.Feedback;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>
/// One process's part of one limit, as a machine: what came in changes the state, what is to be done comes out (whom to let go,
/// which call to make, when to look again). It reads no clock and calls nobody, so that the same code runs in production and in
/// a simulation of many. All times are microseconds of one monotonic clock. Not safe for threads. docs/decisions/0013.
/// </summary>
internal sealed partial class RateLimiterStateMachine
{
    /// <summary>Debits are told at most so often.</summary>
    public const double FlushEvery = 10_000;

    /// <summary>An allowance ends with the knowledge it came from; shorter than a process counts as there without being heard.</summary>
    public const double AllowanceLife = 2_500_000;

    private const double UrgentAgain = 20_000;

    // In a block a process looks so often whether an operator has ended it: a message that says so may be lost.
    private const double LookInBlockEvery = 5_000_000;

    // Who may not wait at all still waits for the store's first answer, which comes sooner than this.
    private const double FirstAnswerWait = 5_000_000;

    private const double PostPaidFrom = 0.4;
    private const double PostPaidUntil = 0.25;

    private readonly string _process;
    private readonly bool _isShared;
    private readonly PriorityWaitQueue _line;
    private readonly DegradedModePacer _share;
    private readonly Queue<(double Due, double At, double Level)> _slots = new();
    private readonly List<double> _returned = [];
    private bool _inFlight;
    private bool _hasTicket;
    private double _debt;
    private double _debtInFlight;
    private double _comeBack;
    private double _urgentDenied;
    private double _lastCall = double.NegativeInfinity;
    private double _validUntil = double.NegativeInfinity;
    private double _nextScan = double.PositiveInfinity;
    private double _lastUntil;
    private double _throttledFor = -1;
    private bool _isCapped;
    private bool _unblocks;
    private ProbeResult _probe;
    private bool _isProbingAway;
    private double _nextProbeAway;
    private double _lifted;
    private long _calls;
    private long _answeredCalls;
    private RateLimitCall? _made;
    private double _replyAt;
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

    /// <summary>No block lasts longer, in microseconds.</summary>
    public double LongestBlock { get; init; } = double.MaxValue;

    /// <summary>A reply that took longer, in microseconds, was waited for by a process that stood still: its permits are out of date.</summary>
    public double ReplyLife { get; init; } = double.PositiveInfinity;

    /// <summary>What is to be told to whom; the reader empties it.</summary>
    public List<(Waiter Waiter, Permit Permit)> Ended { get; } = [];

    /// <summary>A call to be made; the reader takes it with <see cref="TakeCall"/>.</summary>
    public RateLimitCall? Call { get; private set; }

    /// <summary>When <see cref="Advance"/> is to be called at the latest.</summary>
    public double WakeAt { get; private set; } = double.PositiveInfinity;

    public int Waiting => _line.Count + (_filling is null ? 0 : 1);

    public double BlockedUntil { get; private set; }

    /// <summary>Each process keeps to its share.</summary>
    public bool IsAway => Mode == LimiterMode.Degraded;

    public LimiterMode Mode { get; private set; }

    /// <summary>Hears of each change of <see cref="Mode"/>.</summary>
    public Action<LimiterMode, LimiterMode>? OnTransition { get; init; }

    /// <summary>The last reply; null before the first.</summary>
    public RateLimitReply? Known => _reply;

    /// <summary>How many may go out now without being asked for.</summary>
    public int Credit(double now) => IsPostPaid && Waiting == 0 && now < _validUntil && now >= BlockedUntil && !IsAway
        ? (int)Math.Max(0, Math.Floor(_reply!.Allowance - _debt - _debtInFlight))
        : 0;

    /// <summary>Process clock's time of <see cref="Known"/>.</summary>
    public double KnownAt => _replyAt;

    /// <summary>How many processes share the limit, as far as is known.</summary>
    public int Live => _share.Live;

    /// <summary>There is room: permits go out first and are told behind.</summary>
    public bool IsPostPaid => Mode == LimiterMode.PostPaid;

    /// <summary>Until when <see cref="Credit"/> holds.</summary>
    public double CreditUntil => _validUntil;

    /// <summary>What is left in the bucket after what went out since.</summary>
    public double Level => (_reply?.Level ?? 0) - _debt - _debtInFlight;

    public long Epoch => _reply?.Epoch ?? -1;

    /// <summary>Permits of <see cref="Credit"/> that were used.</summary>
    public void OnSpent(double permits) => _debt += permits;

    /// <summary>A permit was not used after all.</summary>
    public void OnGivenBack(double now, Permit permit)
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
                _returned.Add(Math.Floor(reply.Now + (now - _replyAt)));
            }
        }

        Advance(now);
    }

    /// <summary>How long a request would wait that came now, in microseconds.</summary>
    public double Predict(double now, Lane lane, int cost)
    {
        var blocked = Math.Max(0, BlockedUntil - now);
        var before = _line.Before(lane) + (_filling?.Missing ?? 0);
        if (IsAway)
        {
            return Math.Max(blocked, _share.Predict(now, Parameters, before + cost));
        }

        var missing = before + cost - _slots.Count;
        if (missing <= 0 && _slots.Count > 0)
        {
            return Math.Max(blocked, _slots.ElementAt((int)Math.Max(0, before + cost - 1)).Due - now);
        }

        if (_reply is not { } reply || (blocked == 0 && missing <= Credit(now)))
        {
            return blocked;
        }

        // An idle limit has filled up again since it was heard of.
        var rate = InForce.Rate * reply.Multiplier;
        var idle = Math.Max(0, now - _replyAt) * rate / 1e6;
        var ready = _comeBack > now ? 0 : Math.Clamp(Level + (_line.Count == 0 ? idle : 0), 0, Parameters.Base);
        var step = 1e6 * Math.Max(1, reply.Active) / rate;
        var wait = Math.Max(0, _comeBack - now) + (Math.Max(0, missing - ready - (_comeBack > now ? 1 : 0)) * step);
        return Math.Max(blocked + (blocked > 0 ? missing * step : 0), wait);
    }

    /// <summary>A request that cannot go at once.</summary>
    public void OnRequest(double now, Waiter waiter)
    {
        if (IsAway && IsClosedWhenAway)
        {
            End(waiter, Permit.Refused(PermitRefusal.Closed, TimeSpan.FromSeconds(1)));
            return;
        }

        var wait = Predict(now, waiter.Lane, waiter.Cost);
        if (now + wait > waiter.Until)
        {
            End(waiter, Permit.Refused(PermitRefusal.WaitTooLong, ToRetryAfter(wait)));
            return;
        }

        waiter.FirstCall = _calls + 1;
        _line.Add(waiter);
        _nextScan = Math.Min(_nextScan, waiter.Until);
        _lastUntil = _line.Count == 1 ? waiter.Until : Math.Max(_lastUntil, waiter.Until);
        Advance(now);
    }

    /// <summary>A request that no longer waits. What it had collected goes back.</summary>
    public void OnCancelled(double now, Waiter waiter)
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

    private static TimeSpan ToRetryAfter(double microseconds) => TimeSpan.FromMilliseconds(Math.Floor(Math.Max(0, microseconds) / 1000) + 1);

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

    private void Wake(double at) => WakeAt = Math.Min(WakeAt, at);
}
