namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>
/// What a process sends while the fleet's state cannot be had: its part of the rate and the burst by the number of processes
/// last known, from a random phase. It keeps so for a while after the state is back, when that knows nothing of the past.
/// </summary>
internal sealed class DegradedModePacer(int fleetSize, Func<double> draw)
{
    private const double ProbeEvery = 250_000;
    private const double KeepCount = 5_000_000;

    // A state that knows nothing, met by a process that knows nobody: for the moment of the hold it counts on so many.
    private const int UnknownFleet = 10;

    private int _live = Math.Max(1, fleetSize);
    private bool _isMet;
    private double _multiplier = 1;
    private double _keepUntil = double.NegativeInfinity;
    private double _probeAt;
    private double _rejoinAt = double.PositiveInfinity;
    private double _tat;

    public bool IsOn { get; private set; }

    /// <summary>How many share the limit, as far as is known.</summary>
    public int Live => _live;

    /// <summary>When there is something to do beside granting.</summary>
    public double LookAt => Math.Min(_probeAt, _rejoinAt);

    /// <param name="level">Permits that were left as it began; this process may use its part of them.</param>
    /// <param name="probe">False: the state is there and says itself when it can be used.</param>
    public void Start(double now, LimitParameters shape, double level, bool probe)
    {
        if (!IsOn)
        {
            IsOn = true;
            var (step, burst) = Pace(shape);
            _tat = now + (step * (burst - 1 + draw())) - (step * Math.Clamp(Math.Floor(level / _live / 2), 0, burst - 1));
        }

        _rejoinAt = double.PositiveInfinity;
        _probeAt = probe ? now + (ProbeEvery * (0.5 + draw())) : double.PositiveInfinity;
    }

    public void Rejoin(double at) => (_rejoinAt, _probeAt) = (at, double.PositiveInfinity);

    /// <returns>True when the state can be used again.</returns>
    public bool TryRejoin(double now)
    {
        if (now < _rejoinAt)
        {
            return false;
        }

        (IsOn, _rejoinAt, _keepUntil) = (false, double.PositiveInfinity, _isMet ? now + KeepCount : now);
        return true;
    }

    public bool ProbeDue(double now) => now >= _probeAt;

    /// <summary>One is on its way; the answer says what comes next.</summary>
    public void Probed(double now) => _probeAt = now + (ProbeEvery * 4);

    /// <summary>A state that has just come back has seen nobody yet: the count from before stands for a while.</summary>
    public void Heard(double now, RateLimitReply reply)
    {
        _multiplier = reply.Multiplier;
        if (!IsOn && now >= _keepUntil && reply.Held <= 0)
        {
            (_live, _isMet) = (reply.Live, true);
        }
        else if (!_isMet && reply.Held > 0)
        {
            _live = Math.Max(Math.Max(_live, reply.Live), UnknownFleet);
        }
    }

    /// <summary>What the state is to count at least; 0 where it knows better.</summary>
    public int KnownLive(double now) => _isMet && (IsOn || now < _keepUntil) ? _live : 0;

    public bool TryTake(double now, LimitParameters shape, int permits)
    {
        if (NextAt(shape, permits) > now)
        {
            return false;
        }

        _tat = Math.Max(_tat, now) + (Pace(shape).Step * permits);
        return true;
    }

    public void GiveBack(LimitParameters shape, int permits) => _tat -= Pace(shape).Step * permits;

    public double NextAt(LimitParameters shape, int permits)
    {
        var (step, burst) = Pace(shape);
        return _tat - ((Math.Max(burst, permits) - permits) * step);
    }

    public double Predict(double now, LimitParameters shape, double permits)
    {
        var (step, burst) = Pace(shape);
        return Math.Max(0, Math.Max(_tat, now) + ((permits - burst) * step) - now);
    }

    private (double Step, double Burst) Pace(LimitParameters shape) =>
        (1e6 * _live / (shape.Rate * _multiplier), Math.Max(1, Math.Floor(shape.Burst / _live)));
}
