using SendProxy.Configuration;

namespace SendProxy.Sending.RateLimiting;

/// <summary>What a limit does with what the vendor says of it.</summary>
internal enum FeedbackMode
{
    Tighten,

    /// <summary>Counts what it would have done.</summary>
    Observe,
    Off,
}

/// <summary>How long a quota lasts.</summary>
internal enum QuotaPeriod
{
    Hour,
    Day,
    Month,
}

/// <summary>One limit of a vendor's plan. Section <c>limits.NAME</c>; one of rate, quota, concurrent.</summary>
/// <param name="Rate">The plan's; null for the other kinds.</param>
/// <param name="CountsBucket">The vendor counts by a bucket that holds <paramref name="Burst"/>; else by windows of the rate's period.</param>
/// <param name="MaxWait">Longest wait for a permit; always below the request's deadline too.</param>
/// <param name="MaxWaiting">How many may wait at once.</param>
internal sealed record LimitOptions(string Name, Rate? Rate, bool CountsBucket, int Burst, TimeSpan MaxWait, int MaxWaiting)
{
    /// <summary>
    /// The vendor's headers are to show which of both it is. Then <see cref="CountsBucket"/> is false, and <see cref="Burst"/> is the most
    /// that is believed of a bucket.
    /// </summary>
    public bool CountsAuto { get; init; }

    /// <summary>How many at once; 0 for the other kinds.</summary>
    public int Concurrent { get; init; }

    /// <summary>How many in a calendar period; null for the other kinds.</summary>
    public QuotaOptions? Quota { get; init; }

    /// <summary>One limit for each value of this field of the body; null: one for all.</summary>
    public JsonPointer? Per { get; init; }

    /// <summary>How many values are kept apart at once.</summary>
    public int MaxPer { get; init; } = 10_000;

    public FeedbackMode Learn { get; init; }

    /// <summary>No 429 blocks the limit for longer than this: the largest maxRetryAfter of the upstreams whose routes take permits of it.</summary>
    public TimeSpan MaxBlock { get; init; } = TimeSpan.FromMinutes(5);

    public bool ClosedWhenAway { get; init; }

    /// <summary>For people: <c>100/s</c>.</summary>
    public string Plan => Rate is { } rate ? rate.ToString()
        : Quota is { } quota ? quota.ToString()
        : $"{Concurrent} at once";

    private static readonly string[] Kinds = ["rate", "quota", "concurrent"];

    public static LimitOptions Read(string name, SettingsReader limit)
    {
        var kinds = Kinds.Count(limit.Has);
        limit.Check(kinds == 1 || limit.Describing, "rate", kinds == 0
            ? "is required, or quota, or concurrent; write for example rate: 100/s"
            : "give one of rate, quota, concurrent; several limits of a route each have a name");
        var rate = limit.Rate("rate", null, "The plan's rate.");
        var concurrent = (int)limit.Integer("concurrent", 0, 0, 100_000, "How many requests may be at the vendor at once, of the whole fleet.");
        var (isBucket, isAuto) = limit.Choice("counts", "How the vendor counts: by windows of the rate's period, by a bucket that holds burst, or as its headers prove (auto).",
            ("window", (false, false)), ("bucket", (true, false)), ("auto", (false, true)));
        var burst = (int)limit.Integer("burst", 1, 1, 1_000_000,
            "What the vendor's bucket holds, with counts: bucket. With counts: auto the most that is believed of one; not given, the rate's permits.");
        var options = new LimitOptions(
            Name: name,
            Rate: rate ?? (limit.Has("rate") ? new Rate(1, TimeSpan.FromSeconds(1)) : null),
            CountsBucket: isBucket,
            Burst: isAuto && !limit.Has("burst") ? rate?.Permits ?? 1 : burst,
            MaxWait: limit.Duration("maxWait", "5s", "0s", "1h", "Longest wait for a permit; what would wait longer is refused at once."),
            MaxWaiting: (int)limit.Integer("maxWaiting", 1000, 0, 10_000, "How many requests may wait at once."))
        {
            CountsAuto = isAuto,
            Concurrent = concurrent,
            Quota = QuotaOptions.Read(limit),
            Per = limit.Pointer("per", null, "One limit for each value of this field of the JSON body: /to."),
            MaxPer = (int)limit.Integer("maxPer", 10_000, 1, 1_000_000, "How many values of per are kept apart at once; the one unused for longest is forgotten first."),
            Learn = limit.Choice("learn", "What to do with the vendor's rate headers and 429s: tighten the limit, only count what would be done, nothing. Never loosens above the plan.",
                ("true", FeedbackMode.Tighten), ("observe", FeedbackMode.Observe), ("false", FeedbackMode.Off)),
            ClosedWhenAway = limit.Choice("whenRedisIsAway", "Keep to this process's share of the limit, or send nothing.", ("share", false), ("closed", true)),
        };
        limit.Check(isBucket || isAuto || !limit.Has("burst"), "burst", "means something only with counts: bucket or auto");
        limit.Check(!isAuto || options.Learn != FeedbackMode.Off, "learn", "must be true or observe with counts: auto, which learns from the vendor's headers");
        limit.Check(!isAuto || options.Per is null, "counts", "cannot be auto with per: the vendor's headers say nothing of one value's limit; write window or bucket");
        limit.Check(options.Rate is not null || !limit.Has("counts"), "counts", "means something only with rate");
        limit.Check(concurrent > 0 || !limit.Has("concurrent"), "concurrent", "is at least 1; a route that is to send nothing has paused: true");
        limit.Check(options.Rate is not null || options.Per is null, "per", "means something only with rate");
        limit.Check(options.Per is not null || !limit.Has("maxPer"), "maxPer", "means something only with per");
        return options;
    }
}

/// <summary>So many in a calendar period.</summary>
/// <param name="AlertAt">Shares of it that are written to the log when they are reached.</param>
internal sealed record QuotaOptions(long Permits, QuotaPeriod Period, TimeZoneInfo Zone, IReadOnlyList<double> AlertAt)
{
    public override string ToString() => $"{Permits} a calendar {Period.ToString().ToLowerInvariant()}";

    public bool Equals(QuotaOptions? other) => other is not null
        && (Permits, Period, Zone.Id) == (other.Permits, other.Period, other.Zone.Id) && AlertAt.SequenceEqual(other.AlertAt);

    public override int GetHashCode() => HashCode.Combine(Permits, Period, Zone.Id);

    public static QuotaOptions? Read(SettingsReader limit)
    {
        var permits = limit.Integer("quota", 0, 0, 1_000_000_000_000, "How many in a calendar period; never waited for. Without fleet.redis the count begins anew with the process.");
        var period = limit.Choice("period", "With quota: how long it lasts.",
            ("calendar-month", QuotaPeriod.Month), ("calendar-day", QuotaPeriod.Day), ("calendar-hour", QuotaPeriod.Hour));
        var zone = limit.Text("zone", "UTC", "With quota: the time zone whose calendar counts, by its IANA name.", 64)!;
        var alerts = limit.Texts("alertAt", ["80%", "95%"], "With quota: shares of it that are told when they are reached.", 10);
        var known = TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found);
        limit.Check(known, "zone", $"{Spelling.Quoted(zone)} is no time zone here; write Europe/Berlin or UTC");
        var shares = new List<double>();
        foreach (var alert in alerts)
        {
            limit.Check(Units.TryShare(alert, out var share) && share is > 0 and <= 1, "alertAt", $"takes percentages up to 100%, not {Spelling.Quoted(alert)}");
            shares.Add(share);
        }

        var has = limit.Has("quota");
        foreach (var only in (ReadOnlySpan<string>)["period", "zone", "alertAt"])
        {
            limit.Check(has || !limit.Has(only), only, "means something only with quota");
        }

        limit.Check(!has || permits > 0, "quota", "is at least 1; a route that is to send nothing has paused: true");
        return has || limit.Describing ? new QuotaOptions(permits, period, found ?? TimeZoneInfo.Utc, [.. shares.Order()]) : null;
    }
}
