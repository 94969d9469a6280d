using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting;

/// <summary>
/// A plan as the limiter keeps it: GCRA at a rate with a burst, of which a part is for the urgent alone. Permits that are given evenly
/// arrive bunched, so these parameters leave headroom for the spread of the time from permit to vendor: docs/RATE-LIMITS.md, 7.
/// </summary>
/// <param name="Rate">Permits a second.</param>
/// <param name="Base">What all lanes may use at once after a rest; at least 1.</param>
/// <param name="Reserve">Of the urgent: on both sides of the base.</param>
/// <param name="Spare">Permits that the vendor has left when the base is used up.</param>
internal readonly record struct LimitParameters(double Rate, double Base, double Reserve, double Spare)
{
    /// <summary>Standard deviation of that time, before it is measured.</summary>
    public static readonly TimeSpan UsualSpread = TimeSpan.FromMilliseconds(40);

    // In shorter windows the uncertainty of their boundary leaves no room; longer ones would take hours to be confirmed.
    private const double WindowLeastSeconds = 1;
    private const double WindowMostSeconds = 3600;

    private const double WindowBurstShare = 0.05;
    private const int SmallBurst = 4;
    private const double BurstMaxSeconds = 0.020;
    private const int BurstMax = 50;

    /// <summary>The burst in all.</summary>
    public double Burst => Base + (2 * Reserve);

    /// <summary>Of the vendor's own fixed windows; 0 where knowing where they begin would win nothing.</summary>
    public Microseconds WindowLength { get; init; }

    /// <summary>Permits whose time may lie in one of them: what then bunches up to its end still fits.</summary>
    public double WindowPermits { get; init; }

    /// <summary>While they are counted one by one: the rate needs no room for a burst in each.</summary>
    public LimitParameters InWindow => WindowLength > Microseconds.Zero ? this with { Rate = WindowPermits / WindowLength.Seconds } : this;

    /// <summary>The stricter of both, in rate and burst: for a vendor that may count either way.</summary>
    public LimitParameters And(LimitParameters other)
    {
        var least = Math.Min(Base, other.Base);
        return this with
        {
            Rate = Math.Min(Rate, other.Rate),
            Base = least,
            Reserve = Math.Min(Reserve, other.Reserve),
            Spare = Math.Min(Spare + Base, other.Spare + other.Base) - least,
            WindowPermits = Math.Min(WindowPermits, Math.Floor(other.Rate * WindowLength.Seconds)),
        };
    }

    /// <summary>How many permits may arrive on top of an even stream: fitted in the simulation, with room for its tail.</summary>
    public static int Bunching(double rate, TimeSpan spread) => (int)Math.Ceiling(2 + (4 * Math.Sqrt(rate * spread.TotalSeconds)));

    public static LimitParameters For(LimitOptions options, TimeSpan spread) => options.CountsBucket
        ? Bucket(options.Rate!.Value.PerSecond, options.Burst, spread)
        : Window(options.Rate!.Value.Permits, options.Rate.Value.Per.TotalSeconds, spread, options.Learn == FeedbackMode.Tighten);

    /// <summary>The vendor's bucket less what can bunch; where nothing would be left of it, the headroom comes from the rate.</summary>
    private static LimitParameters Bucket(double rate, int burst, TimeSpan spread)
    {
        var bunching = Bunching(rate, spread);
        if (burst - bunching >= SmallBurst)
        {
            return Split(rate, burst - bunching, burst);
        }

        var kept = Math.Clamp(burst - bunching, 1, burst);
        if (burst <= 1 || rate * Margin(spread) <= 1)
        {
            // Permits are so far apart that each pair keeps its distance, even if one of them is late by the margin.
            return Split(1 / ((1 / rate) + (burst > 1 ? 0 : Margin(spread))), burst > 1 ? burst - 1 : 1, burst);
        }

        return Split(rate * (1 - (0.15 * (bunching - (burst - kept)) / bunching)), kept, burst);
    }

    /// <summary>
    /// Fixed windows of unknown phase: any window of the period holds at most the plan's permits. Many permits: burst and bunching
    /// come off its count. Few: <c>burst + (window + margin) / interval &lt;= permits + 1</c>, exact.
    /// </summary>
    private static LimitParameters Window(int permits, double window, TimeSpan spread, bool learns)
    {
        var rate = permits / window;
        var bunching = Bunching(rate, spread);
        var most = Math.Clamp((int)(permits * WindowBurstShare), 1, Math.Max(BurstMax, (int)(rate * BurstMaxSeconds)));
        var exact = (permits - most + 1) / (window + Margin(spread));
        var statistical = (permits - most - bunching) / window;
        var safe = most >= SmallBurst && bunching * 4 <= permits ? Math.Min(exact, statistical) : exact;
        var shape = Split(safe, most, permits);
        return learns && window is >= WindowLeastSeconds and <= WindowMostSeconds && (permits - bunching) / window > safe
            ? shape with { WindowLength = Microseconds.FromSeconds(window), WindowPermits = permits - bunching }
            : shape;
    }

    private static double Margin(TimeSpan spread) => 1.25 * spread.TotalSeconds;

    private static LimitParameters Split(double rate, double burst, double vendor)
    {
        var reserve = Math.Min(Math.Max(2, Math.Floor(burst / 5)), Math.Floor(burst / 4));
        return new LimitParameters(rate, burst - (2 * reserve), reserve, vendor - (burst - (2 * reserve)));
    }
}
