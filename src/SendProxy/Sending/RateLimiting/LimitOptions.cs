using SendProxy.Configuration;

namespace SendProxy.Sending.RateLimiting;

/// <summary>One limit of a vendor's plan. Section <c>limits.NAME</c>.</summary>
/// <param name="Rate">The plan's.</param>
/// <param name="CountsBucket">The vendor counts by a bucket that holds <paramref name="Burst"/>; else by windows of the rate's period.</param>
/// <param name="MaxWait">Longest wait for a permit; always below the request's deadline too.</param>
/// <param name="MaxWaiting">How many may wait at once.</param>
internal sealed record LimitOptions(string Name, Rate Rate, bool CountsBucket, int Burst, TimeSpan MaxWait, int MaxWaiting)
{
    public static LimitOptions Read(string name, SettingsReader limit)
    {
        var rate = limit.Rate("rate", null, "The plan's rate.");
        limit.Check(rate is not null || limit.Has("rate"), "rate", "is required; write for example rate: 100/s");
        var options = new LimitOptions(
            Name: name,
            Rate: rate ?? new Rate(1, TimeSpan.FromSeconds(1)),
            CountsBucket: limit.Choice("counts", "How the vendor counts: by windows of the rate's period, or by a bucket that holds burst.",
                ("window", false), ("bucket", true)),
            Burst: (int)limit.Integer("burst", 1, 1, 1_000_000, "What the vendor's bucket holds; only with counts: bucket."),
            MaxWait: limit.Duration("maxWait", "5s", "0s", "1h", "Longest wait for a permit; what would wait longer is refused at once."),
            MaxWaiting: (int)limit.Integer("maxWaiting", 1000, 0, 10_000, "How many requests may wait at once."));
        limit.Check(options.CountsBucket || !limit.Has("burst"), "burst", "means something only with counts: bucket");
        return options;
    }
}
