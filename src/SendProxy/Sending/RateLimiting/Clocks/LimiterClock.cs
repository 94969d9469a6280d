namespace SendProxy.Sending.RateLimiting.Clocks;

/// <summary>The monotonic clock of one limiter. It begins at a second, since zero means "never" where a limiter counts.</summary>
internal sealed class LimiterClock
{
    private readonly TimeProvider _time;
    private readonly double _microsecondsPerTick;
    private readonly long _start;

    public LimiterClock(TimeProvider time)
    {
        _time = time;
        _microsecondsPerTick = 1e6 / time.TimestampFrequency;
        _start = time.GetTimestamp() - time.TimestampFrequency;
    }

    public Microseconds Now => new((Timestamp - _start) * _microsecondsPerTick);

    /// <summary>The provider's, for paths on which even a multiplication counts.</summary>
    public long Timestamp => _time.GetTimestamp();

    public long TimestampAt(Microseconds at) => _start + (long)(at.Value / _microsecondsPerTick);

    public TimeSpan Since(long timestamp) => _time.GetElapsedTime(timestamp);
}
