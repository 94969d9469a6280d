using SendProxy.Configuration;

namespace SendProxy.Sending.RateLimiting;

/// <summary>
/// Turns a plan into an even pace (GCRA): one permit each <paramref name="IntervalSeconds"/>, <paramref name="Burst"/> at once
/// after a rest. What is permitted evenly arrives a little bunched, so the pace leaves a margin: see docs/decisions/0004.
/// </summary>
internal readonly record struct Pace(double IntervalSeconds, int Burst)
{
    // Spread of the time from a permit to the vendor's count of it, on a path of some hops.
    private const double MarginSeconds = 0.050;
    private const double BurstShare = 0.05;
    private const int BurstMax = 50;

    /// <summary>
    /// Fixed windows of unknown phase: any window of the period must hold at most the plan's permits, so
    /// <c>burst + (window + margin) / interval &lt;= permits + 1</c>. A bucket: its burst less what can bunch up, at full rate.
    /// </summary>
    public static Pace For(Rate rate, bool countsBucket, int burst)
    {
        var window = rate.Per.TotalSeconds;
        if (countsBucket)
        {
            var bunched = (int)Math.Ceiling(rate.PerSecond * MarginSeconds);
            return new Pace(window / rate.Permits, Math.Max(1, burst - bunched));
        }

        var most = Math.Clamp((int)(rate.Permits * BurstShare), 1, BurstMax);
        return new Pace((window + MarginSeconds) / (rate.Permits - most + 1), most);
    }
}
