using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Tests.Sending.Limits.Simulation;

/// <param name="RetryAfter">Microseconds; null where it was taken.</param>
/// <param name="ResetAfter">As the parser gives it; null where the vendor does not say.</param>
/// <param name="Limit">Null where it does not say.</param>
internal readonly record struct VendorAnswer(long Remaining, double? RetryAfter, TimeSpan? ResetAfter = null, long? Limit = null);

/// <summary>How an answer says when the window ends, or the bucket is full.</summary>
internal enum ResetForm
{
    None,
    Milliseconds,

    /// <summary>Whole seconds, what is over cut off.</summary>
    SecondsDown,

    /// <summary>Whole seconds, begun ones whole.</summary>
    SecondsUp,

    /// <summary>A point in time, in whole seconds as the answer's date is.</summary>
    UnixSeconds,
}

/// <summary>What is wrong with what an answer says of what remains.</summary>
internal enum HeaderNoise
{
    None,

    /// <summary>Down to whole tens.</summary>
    Rounded,

    /// <summary>As it was twenty requests ago.</summary>
    Lagging,
}

/// <summary>A vendor that counts exactly: a bucket, or fixed windows of any phase. Logs each arrival.</summary>
internal sealed class ExactVendor(LimitOptions plan, double phase, HeaderNoise noise, ResetForm reset)
{
    private const int Lag = 20;

    private readonly Queue<long> _said = new();
    private double _level = plan.Burst;
    private double _at;
    private double _part = 1;
    private double _begun = double.NegativeInfinity;
    private long _count;
    private double _refuseNext = -1;
    private (double Until, double RetryAfter) _outage;

    public List<(double At, bool Taken, int Process, Lane Lane)> Arrivals { get; } = [];

    /// <summary>When <see cref="RefuseOne"/> took place; NaN before.</summary>
    public double RefusedAt { get; private set; } = double.NaN;

    /// <summary>Windows begin with the first request after the end of the one before, not on a grid.</summary>
    public bool BeginsWithARequest { get; init; }

    /// <summary>Answers say how many a window or the bucket holds.</summary>
    public bool NamesLimit { get; init; }

    /// <summary>How far what the parser makes of the reset may lie from what was meant.</summary>
    public TimeSpan ResetBlur { get; } = reset switch
    {
        ResetForm.Milliseconds => TimeSpan.FromMilliseconds(1),
        ResetForm.UnixSeconds => TimeSpan.FromSeconds(2),
        _ => TimeSpan.FromSeconds(1),
    };

    private double PerSecond => plan.Rate!.Value.PerSecond * _part;

    /// <summary>A part of the requests that is refused though there is room, what is asked then, and by which draw.</summary>
    public (double Part, double RetryAfter, Func<double> Draw) Unrelated { get; init; } = (0, 0, () => 1);

    public void RefuseUntil(double until, double retryAfter) => _outage = (until, retryAfter);

    public void RefuseOne(double retryAfter) => _refuseNext = retryAfter;

    /// <summary>Windows begin elsewhere from now on, by a part of their length.</summary>
    public void MovePhase(double by) => phase += by;

    public void ChangeRate(double now, double part)
    {
        Fill(now);
        _part = part;
    }

    public VendorAnswer Arrive(double now, int process, Lane lane)
    {
        if (_refuseNext >= 0)
        {
            var asked = _refuseNext;
            (_refuseNext, RefusedAt) = (-1, now);
            return new VendorAnswer(0, asked);
        }

        if (now < _outage.Until)
        {
            Arrivals.Add((now, false, process, lane));
            return new VendorAnswer(0, _outage.RetryAfter);
        }

        var answer = plan.CountsBucket ? Bucket(now) : Window(now);
        if (answer.RetryAfter is null && Unrelated.Part > 0 && Unrelated.Draw() < Unrelated.Part)
        {
            answer = answer with { RetryAfter = Unrelated.RetryAfter };
        }

        Arrivals.Add((now, answer.RetryAfter is null, process, lane));
        return answer;
    }

    private VendorAnswer Bucket(double now)
    {
        Fill(now);
        if (_level < 1)
        {
            return new VendorAnswer(0, (1 - _level) / PerSecond * 1e6);
        }

        _level--;
        _said.Enqueue((long)_level);
        var lagging = _said.Count > Lag ? _said.Dequeue() : plan.Burst;
        return new VendorAnswer(
            noise switch { HeaderNoise.Rounded => (long)_level / 10 * 10, HeaderNoise.Lagging => lagging, _ => (long)_level }, null,
            Reset(now, now + ((plan.Burst - _level) / PerSecond * 1e6)), NamesLimit ? plan.Burst : null);
    }

    private VendorAnswer Window(double now)
    {
        var length = plan.Rate!.Value.Per.TotalMicroseconds;
        var limit = (long)(plan.Rate.Value.Permits * _part);
        var begun = BeginsWithARequest
            ? (now < _begun + length ? _begun : now)
            : (Math.Floor((now / length) + phase) - phase) * length;
        if (begun != _begun)
        {
            (_begun, _count) = (begun, 0);
        }

        if (_count >= limit)
        {
            return new VendorAnswer(0, begun + length - now);
        }

        _count++;
        _said.Enqueue(limit - _count);
        var lagging = _said.Count > Lag ? _said.Dequeue() : limit;
        return new VendorAnswer(
            noise switch { HeaderNoise.Rounded => (limit - _count) / 10 * 10, HeaderNoise.Lagging => lagging, _ => limit - _count }, null, Reset(now, begun + length),
            NamesLimit ? limit : null);
    }

    private TimeSpan? Reset(double now, double end) => reset switch
    {
        ResetForm.Milliseconds => TimeSpan.FromMilliseconds(Math.Ceiling((end - now) / 1e3)),
        ResetForm.SecondsDown => TimeSpan.FromSeconds(Math.Floor((end - now) / 1e6)),
        ResetForm.SecondsUp => TimeSpan.FromSeconds(Math.Ceiling((end - now) / 1e6)),
        ResetForm.UnixSeconds => TimeSpan.FromSeconds(Math.Floor(end / 1e6) - Math.Floor(now / 1e6)),
        _ => null,
    };

    private void Fill(double now)
    {
        _level = Math.Min(plan.Burst, _level + ((now - _at) * PerSecond / 1e6));
        _at = now;
    }
}
