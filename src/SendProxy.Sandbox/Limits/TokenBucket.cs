namespace SendProxy.Sandbox.Limits;

/// <summary>A bucket of <c>burst</c> tokens into which <c>requests</c> tokens flow in each window, steadily.</summary>
internal sealed class TokenBucket(int requests, TimeSpan window, int burst) : ILimit
{
    private readonly Lock _gate = new();
    private readonly double _ticksPerToken = (double)window.Ticks / requests;
    private double _tokens = burst;
    private DateTimeOffset _filledAt = DateTimeOffset.MinValue;

    public LimitVerdict Acquire(DateTimeOffset now, bool take = true)
    {
        lock (_gate)
        {
            if (now > _filledAt)
            {
                _tokens = Math.Min(burst, _tokens + ((now - _filledAt).Ticks / _ticksPerToken));
                _filledAt = now;
            }

            // A billionth forgives the rounding of fractions of a token.
            var passes = _tokens >= 1 - 1e-9;
            if (passes && take) { _tokens = Math.Max(0, _tokens - 1); }
            var toNext = TimeSpan.FromTicks((long)Math.Ceiling(Math.Max(0, 1 - _tokens) * _ticksPerToken));
            var toFull = TimeSpan.FromTicks((long)Math.Ceiling((burst - _tokens) * _ticksPerToken));
            return new LimitVerdict(passes, burst, (int)(_tokens + 1e-9), toFull, toNext);
        }
    }

    public void Release()
    {
    }
}
