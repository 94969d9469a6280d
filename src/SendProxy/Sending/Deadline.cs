namespace SendProxy.Sending;

/// <summary>A point in this process's monotonic time by which a request must have its answer's headers.</summary>
internal readonly struct Deadline
{
    private readonly TimeProvider _time;
    private readonly long _at;

    private Deadline(TimeProvider time, long at)
    {
        _time = time;
        _at = at;
    }

    /// <summary>How long is left; negative once it has passed.</summary>
    public TimeSpan Left => TimeSpan.FromSeconds((double)(_at - _time.GetTimestamp()) / _time.TimestampFrequency);

    public bool Passed => Left <= TimeSpan.Zero;

    public static Deadline In(TimeSpan wait, TimeProvider time) =>
        new(time, time.GetTimestamp() + (long)(wait.TotalSeconds * time.TimestampFrequency));
}
