using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>
/// What a process sends while the fleet's state cannot be had: its part of the rate and the burst by the number of processes
/// last known, from a random phase. It keeps so for a while after the state is back, when that knows nothing of the past.
/// </summary>
internal sealed class DegradedModePacer(int fleetSize, Func<double> draw)
{
    private static readonly Microseconds ProbeEvery = Microseconds.FromSeconds(0.25);
    private static readonly Microseconds KeepCount = Microseconds.FromSeconds(5);

    // Where neither the store nor this process knows the size of the fleet, it assumes so many processes while the store holds back.
    private const int UnknownFleet = 10;

    private int _live = Math.Max(1, fleetSize);
    private bool _isMet;
    private double _multiplier = 1;
    private Microseconds _keepUntil = Microseconds.LongAgo;
    private Microseconds _probeAt;
    private Microseconds _rejoinAt = Microseconds.Never;
    private Microseconds _tat;

    public bool IsOn { get; private set; }

    /// <summary>How many share the limit, as far as is known.</summary>
    public int Live => _live;

    /// <summary>When there is something to do beside granting.</summary>
    public Microseconds LookAt => Microseconds.Min(_probeAt, _rejoinAt);

    /// <param name="level">Permits that were left as it began; this process may use its part of them.</param>
    /// <param name="probe">False: the state is there and says itself when it can be used.</param>
    public void Start(Microseconds now, LimitParameters shape, double level, bool probe)
    {
        if (!IsOn)
        {
            IsOn = true;
            var (step, burst) = Pace(shape);
            _tat = now + (step * (burst - 1 + draw())) - (step * Math.Clamp(Math.Floor(level / _live / 2), 0, burst - 1));
        }

        _rejoinAt = Microseconds.Never;
        _probeAt = probe ? now + (ProbeEvery * (0.5 + draw())) : Microseconds.Never;
    }

    public void Rejoin(Microseconds at) => (_rejoinAt, _probeAt) = (at, Microseconds.Never);

    /// <returns>True when the state can be used again.</returns>
    public bool TryRejoin(Microseconds now)
    {
        if (now < _rejoinAt)
        {
            return false;
        }

        (IsOn, _rejoinAt, _keepUntil) = (false, Microseconds.Never, _isMet ? now + KeepCount : now);
        return true;
    }

    public bool ProbeDue(Microseconds now) => now >= _probeAt;

    /// <summary>One is on its way; the answer says what comes next.</summary>
    public void Probed(Microseconds now) => _probeAt = now + (ProbeEvery * 4);

    /// <summary>A store that has just come back has counted no processes yet: the number from before stays for a while.</summary>
    public void Heard(Microseconds now, RateLimitReply reply)
    {
        _multiplier = reply.Multiplier;
        if (!IsOn && now >= _keepUntil && reply.Held <= Microseconds.Zero)
        {
            (_live, _isMet) = (reply.Live, true);
        }
        else if (!_isMet && reply.Held > Microseconds.Zero)
        {
            _live = Math.Max(Math.Max(_live, reply.Live), UnknownFleet);
        }
    }

    /// <summary>What the state is to count at least; 0 where it knows better.</summary>
    public int KnownLive(Microseconds now) => _isMet && (IsOn || now < _keepUntil) ? _live : 0;

    public bool TryTake(Microseconds now, LimitParameters shape, int permits)
    {
        if (NextAt(shape, permits) > now)
        {
            return false;
        }

        _tat = Microseconds.Max(_tat, now) + (Pace(shape).Step * permits);
        return true;
    }

    public void GiveBack(LimitParameters shape, int permits) => _tat -= Pace(shape).Step * permits;

    public Microseconds NextAt(LimitParameters shape, int permits)
    {
        var (step, burst) = Pace(shape);
        return _tat - ((Math.Max(burst, permits) - permits) * step);
    }

    public Microseconds Predict(Microseconds now, LimitParameters shape, double permits)
    {
        var (step, burst) = Pace(shape);
        return Microseconds.Max(Microseconds.Zero, Microseconds.Max(_tat, now) + ((permits - burst) * step) - now);
    }

    private (Microseconds Step, double Burst) Pace(LimitParameters shape) =>
        (Microseconds.FromSeconds(_live / (shape.Rate * _multiplier)), Math.Max(1, Math.Floor(shape.Burst / _live)));
}
