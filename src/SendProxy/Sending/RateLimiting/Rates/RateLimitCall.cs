namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>What one process tells and asks of one limit, in one call. Times are microseconds.</summary>
internal sealed record RateLimitCall
{
    /// <summary>Which process; unique in the fleet.</summary>
    public required string Process { get; init; }

    public required LimitParameters Shape { get; init; }

    /// <summary>Slots asked for; 0 asks for none.</summary>
    public int Want { get; init; }

    public bool SomeoneWaits { get; init; }

    /// <summary>The longest that one of those waits: a turn in the line that comes later is not taken.</summary>
    public double Patience { get; init; }

    /// <summary>It was told to come back, and the time is there.</summary>
    public bool HasTicket { get; init; }

    /// <summary>Permits asked for from the urgent reserve.</summary>
    public int Urgent { get; init; }

    /// <summary>Permits that were used already; negative where slots were kept instead of used.</summary>
    public double Debt { get; init; }

    /// <summary>By how many permits the vendor has less (positive) or more than was thought, in <see cref="CorrectionEpoch"/>.</summary>
    public double Correction { get; init; }

    public long CorrectionEpoch { get; init; }

    /// <summary>How long a 429 asked to wait; negative where there was none.</summary>
    public double Throttled { get; init; } = -1;

    /// <summary>The store did not answer before.</summary>
    public bool WasAway { get; init; }

    /// <summary>The store's time in the last reply; 0 before the first.</summary>
    public double SeenNow { get; init; }

    /// <summary>How long that is ago by this process's clock: at least so much has passed.</summary>
    public double SeenSince { get; init; }

    public double SeenTat { get; init; }

    /// <summary>End of a block, in the store's time; 0 where none is known.</summary>
    public double SeenBlock { get; init; }

    /// <summary>Processes known of before the store was away; 0 to believe the store.</summary>
    public int KnownLive { get; init; }

    /// <summary>A 429 lowers the rate for a while.</summary>
    public bool Learns { get; init; } = true;

    /// <summary>When one of the vendor's own windows had begun at the latest, in the store's time; 0: nothing new, -1: not where it was thought.</summary>
    public double Edge { get; init; }

    /// <summary>By how much it can have begun earlier.</summary>
    public double EdgeWidth { get; init; }

    /// <summary>Slots that are not needed, by their time.</summary>
    public IReadOnlyList<double> Returned { get; init; } = [];
}

/// <summary>What a limit answers. Times are microseconds; delays count from when the store wrote it.</summary>
/// <param name="Now">The store's time.</param>
/// <param name="Level">Permits left in the bucket; negative where more were sold ahead.</param>
/// <param name="Allowance">May be sent before it is told.</param>
/// <param name="Quantum">The most slots that one call gets.</param>
/// <param name="ComeBack">With no slots: when this process's turn is; else 0.</param>
/// <param name="Blocked">Nobody sends for so long.</param>
/// <param name="Live">Processes seen lately.</param>
/// <param name="Active">Processes that have someone waiting.</param>
/// <param name="Held">The past is unknown: each keeps to its share for so long.</param>
/// <param name="Urgent">Permits given from the urgent reserve.</param>
/// <param name="Multiplier">What is left of the rate after cuts; at most 1.</param>
/// <param name="Slots">Permits, at their time.</param>
internal sealed record RateLimitReply(
    double Now, double Tat, double Level, int Allowance, int Quantum, long Epoch, double ComeBack, double Blocked, int Live, int Active,
    double Held, int Urgent, double Multiplier, IReadOnlyList<ReservedSlot> Slots)
{
    /// <summary>The rate is that of the vendor's own windows, which are counted.</summary>
    public bool InWindow { get; init; }
}

/// <summary>A permit for a time.</summary>
/// <param name="Delay">From the reply.</param>
/// <param name="At">The store's time: what it is given back by.</param>
internal readonly record struct ReservedSlot(double Delay, double At);
