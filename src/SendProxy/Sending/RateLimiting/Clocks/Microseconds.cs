namespace SendProxy.Sending.RateLimiting.Clocks;

/// <summary>
/// A point of a limiter's clock, or the time between two of them. A double, as the store's script counts: a rate of some hundred
/// thousand permits a second has intervals between the ticks of a <see cref="TimeSpan"/>, and "never" is infinite.
/// </summary>
internal readonly record struct Microseconds(double Value) : IComparable<Microseconds>
{
    public static readonly Microseconds Zero = new(0);

    /// <summary>Later than every point.</summary>
    public static readonly Microseconds Never = new(double.PositiveInfinity);

    /// <summary>Before every point.</summary>
    public static readonly Microseconds LongAgo = new(double.NegativeInfinity);

    public double Seconds => Value / 1_000_000;

    public static Microseconds FromSeconds(double seconds) => new(seconds * 1_000_000);

    public static Microseconds From(TimeSpan time) => new(time.TotalMicroseconds);

    public static Microseconds Min(Microseconds one, Microseconds other) => one.Value <= other.Value ? one : other;

    public static Microseconds Max(Microseconds one, Microseconds other) => one.Value >= other.Value ? one : other;

    public static Microseconds operator +(Microseconds one, Microseconds other) => new(one.Value + other.Value);

    public static Microseconds operator -(Microseconds one, Microseconds other) => new(one.Value - other.Value);

    public static Microseconds operator *(Microseconds time, double times) => new(time.Value * times);

    public static Microseconds operator *(double times, Microseconds time) => new(time.Value * times);

    public static Microseconds operator /(Microseconds time, double parts) => new(time.Value / parts);

    public static double operator /(Microseconds one, Microseconds other) => one.Value / other.Value;

    public static bool operator <(Microseconds one, Microseconds other) => one.Value < other.Value;

    public static bool operator >(Microseconds one, Microseconds other) => one.Value > other.Value;

    public static bool operator <=(Microseconds one, Microseconds other) => one.Value <= other.Value;

    public static bool operator >=(Microseconds one, Microseconds other) => one.Value >= other.Value;

    public int CompareTo(Microseconds other) => Value.CompareTo(other.Value);

    public Microseconds Floor() => new(Math.Floor(Value));

    public Microseconds Ceiling() => new(Math.Ceiling(Value));

    public TimeSpan ToTimeSpan() => TimeSpan.FromMicroseconds(Value);

    /// <summary>For a caller, who must not come back a moment too soon: the next whole millisecond.</summary>
    public TimeSpan ToRetryAfter() => TimeSpan.FromMilliseconds(Math.Floor(Math.Max(0, Value) / 1000) + 1);

    /// <summary>For a timer, which counts whole milliseconds and cuts the rest off: rounded up, or one would spin through the last of them.</summary>
    public TimeSpan ToTimerSpan() => TimeSpan.FromMilliseconds(Math.Clamp(Math.Ceiling(Value / 1000), 1, 60_000));
}
