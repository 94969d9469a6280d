namespace SendProxy.Sending.Attempts;

/// <summary>
/// Bounds retries to a share of requests plus a floor, so that a vendor that fails is not also flooded. A bucket: each first
/// attempt adds the ratio, time adds the floor, each retry takes one. It works as linkerd's retry budget does. Who decides reads
/// <see cref="HasToken"/>, and who retries calls <see cref="Spend"/>: two sends that decide in the same instant may share the last token, and
/// the second one then leaves a debt, which is paid off before the next retry.
/// </summary>
internal sealed class RetryBudget(double ratio, double floorPerSecond, TimeProvider time)
{
    private const double WindowSeconds = 10;

    private readonly Lock _lock = new();
    private readonly double _floor = floorPerSecond;
    private readonly double _ratio = ratio;
    private double _tokens = floorPerSecond;
    private long _last = time.GetTimestamp();

    public void FirstAttempt()
    {
        lock (_lock)
        {
            Refill();
            _tokens = Math.Min(Max, _tokens + _ratio);
        }
    }

    /// <summary>False when the budget is used up: the answer at hand is final.</summary>
    public bool HasToken
    {
        get
        {
            lock (_lock)
            {
                Refill();
                return _tokens >= 1;
            }
        }
    }

    /// <summary>A retry follows.</summary>
    public void Spend()
    {
        lock (_lock)
        {
            Refill();
            _tokens--;
        }
    }

    private double Max => Math.Max(1, (_floor * WindowSeconds) + (_ratio * 1000));

    private void Refill()
    {
        var now = time.GetTimestamp();
        _tokens = Math.Min(Max, _tokens + (_floor * (now - _last) / time.TimestampFrequency));
        _last = now;
    }
}
