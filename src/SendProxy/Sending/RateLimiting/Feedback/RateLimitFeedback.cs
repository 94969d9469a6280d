using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Feedback;

/// <summary>What was learned of a limit, and what it changes.</summary>
internal enum FeedbackFindingKind
{
    /// <summary>The vendor has less or more permits left than expected: others use the plan too, or its rate differs.</summary>
    Drift,

    /// <summary>The vendor names another limit than the plan.</summary>
    Limit,

    /// <summary>Permits arrive at the vendor more or less evenly than expected.</summary>
    Spread,

    /// <summary>Its headers prove how it counts, or no longer do: only with <c>counts: auto</c>.</summary>
    Form,

    /// <summary>It refused a request although its own headers prove that the limit has room: the limit is not meant.</summary>
    Unrelated,
}

/// <param name="Drift">Permits that the vendor has less than was thought; else 0.</param>
internal readonly record struct FeedbackFinding(FeedbackFindingKind Kind, double Drift);

/// <summary>
/// What the vendor's answers say of one limit. Only ever tightens below the plan. What it makes of them is bounded, since
/// headers lag, are rounded, or belong to another limit. Safe for threads.
/// </summary>
internal sealed class RateLimitFeedback
{
    private const double SpreadPart = 0.02;
    private const int SpreadSamples = 100;
    private static readonly Microseconds ReshapeEvery = Microseconds.FromSeconds(10);
    private const double NearlyUsed = 0.4;

    // As in acquire.lua: of refusals that come together only one lowers the rate.
    private static readonly Microseconds CutEvery = Microseconds.FromSeconds(0.5);

    private static readonly TimeSpan LeastSpread = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan DelayMax = TimeSpan.FromSeconds(2);

    private readonly LimitOptions _options;
    private readonly VendorLimitModel _form;
    private readonly Lock _lock = new();
    private LimitParameters _shape;
    private TimeSpan _spread = LimitParameters.UsualSpread;
    private double _mean;
    private double _variance;
    private int _samples;
    private Microseconds _reshapedAt;
    private (int?, int?, int?) _shapedFor;
    private WindowBoundaryDetector? _edges;
    private WindowBoundary? _edge;
    private Microseconds _refusedAt = Microseconds.LongAgo;
    private readonly UnrelatedRefusalDetector _unrelated;

    public RateLimitFeedback(LimitOptions options)
    {
        _options = options;
        _form = new VendorLimitModel(options);
        _unrelated = new UnrelatedRefusalDetector(options);
        Reshape();
    }

    public bool Listens => _options.Learn != FeedbackMode.Off;

    /// <summary>The limit to keep to now.</summary>
    public LimitParameters Parameters
    {
        get
        {
            lock (_lock)
            {
                return _shape;
            }
        }
    }

    /// <summary>As the vendor said last; null where it does not say.</summary>
    public long? Limit { get; private set; }

    public long? Remaining { get; private set; }

    public TimeSpan? ResetAfter { get; private set; }

    /// <summary>Why the rate in force is not the plan's, for people.</summary>
    /// <param name="multiplier">What is left of it after cuts.</param>
    /// <param name="isInWindow">The vendor's own windows are counted.</param>
    public string Why(double multiplier, bool isInWindow)
    {
        lock (_lock)
        {
            return multiplier < 0.999 ? $" ({multiplier:0%} since the vendor refused or has less left)"
                : _form.Cap is { } cap ? $" (the vendor says {cap})"
                : isInWindow ? " (in the vendor's own window)"
                : _form.Why;
        }
    }

    /// <returns>Null where it changes nothing.</returns>
    public FeedbackFinding? Hear(Permit permit, RateLimitFeedbackSample heard, Microseconds now)
    {
        lock (_lock)
        {
            _unrelated.ObserveSuccess(heard, now);
            (Limit, Remaining, ResetAfter) = (heard.Limit ?? Limit, heard.Remaining ?? Remaining, heard.ResetAfter ?? ResetAfter);
            var isFormNew = _form.Hear(heard, now);
            if (_edges is { } edges && heard is { Remaining: { } remaining, ResetAfter: { } reset }
                && edges.Hear(now - Microseconds.From(heard.Delay), now, remaining, reset, _shape.InWindow.Rate, _shape.Burst) is { } edge)
            {
                _edge = edge;
                isFormNew |= !edge.IsElsewhere && _form.SeeWindows();
            }

            return Form(isFormNew) ?? Drift(permit, heard) ?? Spread(permit, heard.Delay, now);
        }
    }

    /// <summary>Where the vendor's windows begin, if that was seen anew since it was taken last.</summary>
    public WindowBoundary? TakeEdge()
    {
        lock (_lock)
        {
            var edge = _edge;
            _edge = null;
            return edge;
        }
    }

    /// <summary>Whether a refusal says anything of this limit. Call once for each.</summary>
    public bool IsOfThisLimit(in VendorRefusal refusal, Microseconds now)
    {
        lock (_lock)
        {
            return !_unrelated.IsUnrelated(refusal, now);
        }
    }

    /// <summary>The vendor said 429.</summary>
    /// <returns>The cut that it makes, null where one was made just before; and what else it changes, as the end of what was proven, else null.</returns>
    public (FeedbackFinding? Cut, FeedbackFinding? Form) Refused(Microseconds now)
    {
        lock (_lock)
        {
            _edges?.Forget();
            if (now - _refusedAt <= CutEvery)
            {
                return default;
            }

            _refusedAt = now;
            return (new FeedbackFinding(FeedbackFindingKind.Limit, 0), Form(_form.Forget(now)));
        }
    }

    /// <summary>The vendor said 429 to another process.</summary>
    /// <returns>Null where it changes nothing.</returns>
    public FeedbackFinding? RefusedElsewhere(Microseconds now)
    {
        lock (_lock)
        {
            _form.Beware(now);
            return Form(isNew: false);
        }
    }

    // The parameters in force follow from what is believed of the vendor.
    private FeedbackFinding? Form(bool isNew)
    {
        if (_shapedFor != _form.Key)
        {
            var before = _shape;
            Reshape();
            return isNew ? new FeedbackFinding(FeedbackFindingKind.Form, 0) : before != _shape ? new FeedbackFinding(FeedbackFindingKind.Limit, 0) : null;
        }

        return isNew ? new FeedbackFinding(FeedbackFindingKind.Form, 0) : null;
    }

    private FeedbackFinding? Drift(Permit permit, RateLimitFeedbackSample heard)
    {
        // What is left is read differently for a bucket and for windows; with counts: auto and learn: observe neither is in force.
        if (heard.Remaining is not { } remaining || _form.IsUnknown || _options is { CountsAuto: true, Learn: FeedbackMode.Observe })
        {
            return null;
        }

        if (_form.Bucket is { } size)
        {
            var threshold = Math.Max(2, _shape.Spare / 3);
            remaining -= _form.Unbelieved;
            var drift = permit.Level + _shape.Spare - remaining;
            return permit.LevelEpoch < 0 || double.IsNaN(drift) ? null
                : drift > threshold && remaining <= Math.Max(1, size * NearlyUsed) ? new FeedbackFinding(FeedbackFindingKind.Drift, drift - (threshold / 2))
                : drift < -threshold ? new FeedbackFinding(FeedbackFindingKind.Drift, drift)
                : null;
        }

        // Of a window's permits at most those can be used that were given since it began. Resets in whole seconds leave its beginning uncertain by a second.
        if (heard.ResetAfter is not { } reset || permit.LevelEpoch < 0)
        {
            return null;
        }

        var permits = _form.Cap ?? _options.Rate!.Value.Permits;
        var elapsed = Math.Clamp((_options.Rate!.Value.Per - reset).TotalSeconds + 1, 0, _options.Rate.Value.Per.TotalSeconds);
        var most = (_shape.InWindow.Rate * elapsed) + _shape.Burst + LimitParameters.Bunching(_shape.Rate, _spread);
        var less = permits - most - remaining;
        return less > Math.Max(2, permits * 0.02) && remaining <= permits * NearlyUsed ? new FeedbackFinding(FeedbackFindingKind.Drift, less) : null;
    }

    // The measured time includes the vendor's own work and is an upper bound: it may narrow the usual spread, but not widen it.
    private FeedbackFinding? Spread(Permit permit, TimeSpan delay, Microseconds now)
    {
        if (permit.Mode is PermitMode.Share or PermitMode.Off)
        {
            return null;
        }

        var seconds = Math.Min(delay.TotalSeconds, DelayMax.TotalSeconds);
        var off = seconds - _mean;
        var part = Math.Max(SpreadPart, 1.0 / ++_samples);
        _mean += part * off;
        _variance = (1 - part) * (_variance + (part * off * off));
        if (_samples < SpreadSamples || now - _reshapedAt < ReshapeEvery)
        {
            return null;
        }

        _reshapedAt = now;
        var spread = TimeSpan.FromSeconds(Math.Clamp(Math.Sqrt(_variance), LeastSpread.TotalSeconds, LimitParameters.UsualSpread.TotalSeconds));
        var rate = _options.Rate!.Value.PerSecond;
        if (LimitParameters.Bunching(rate, spread) == LimitParameters.Bunching(rate, _spread))
        {
            return null;
        }

        _spread = spread;
        Reshape();
        return new FeedbackFinding(FeedbackFindingKind.Spread, 0);
    }

    private void Reshape()
    {
        var plan = _options.Rate!.Value;
        (_shape, _shapedFor) = (_form.Parameters(_spread), _form.Key);
        _edges = _shape.WindowLength > Microseconds.Zero ? _edges ?? new WindowBoundaryDetector(plan.Per, _form.Cap ?? plan.Permits, _form.Refill) : null;
    }
}
