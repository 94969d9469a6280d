using SendProxy.Sending.RateLimiting;

namespace SendProxy.Tests.Sending.Limits.Simulation;

/// <param name="RetryAfter">Microseconds; null where it was taken.</param>
internal readonly record struct VendorAnswer(long Remaining, double? RetryAfter);

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
internal sealed class ExactVendor(LimitOptions plan, double phase, HeaderNoise noise)
{
    private const int Lag = 20;

    private readonly Queue<long> _said = new();
    private double _level = plan.Burst;
    private double _at;
    private double _part = 1;
    private double _window = double.NaN;
    private long _count;
    private double _refuseNext = -1;

    public List<(double At, bool Taken, int Process, Lane Lane)> Arrivals { get; } = [];

    /// <summary>When <see cref="RefuseOne"/> took place; NaN before.</summary>
    public double RefusedAt { get; private set; } = double.NaN;

    private double PerSecond => plan.Rate!.Value.PerSecond * _part;

    public void RefuseOne(double retryAfter) => _refuseNext = retryAfter;

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

        var answer = plan.CountsBucket ? Bucket(now) : Window(now);
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
            noise switch { HeaderNoise.Rounded => (long)_level / 10 * 10, HeaderNoise.Lagging => lagging, _ => (long)_level }, null);
    }

    private VendorAnswer Window(double now)
    {
        var length = plan.Rate!.Value.Per.TotalMicroseconds;
        var limit = (long)(plan.Rate.Value.Permits * _part);
        var window = Math.Floor((now / length) + phase);
        if (window != _window)
        {
            (_window, _count) = (window, 0);
        }

        if (_count >= limit)
        {
            return new VendorAnswer(0, ((window + 1 - phase) * length) - now);
        }

        _count++;
        return new VendorAnswer(limit - _count, null);
    }

    private void Fill(double now)
    {
        _level = Math.Min(plan.Burst, _level + ((now - _at) * PerSecond / 1e6));
        _at = now;
    }
}
