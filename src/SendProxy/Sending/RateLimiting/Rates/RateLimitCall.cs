using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>What one process tells and asks of one rate limit, in one call.</summary>
internal sealed record RateLimitCall
{
    /// <summary>As <see cref="Boundary"/>: the vendor's windows do not begin where it was thought.</summary>
    public static readonly Microseconds BoundaryElsewhere = new(-1);

    /// <summary>Which process; unique in the fleet.</summary>
    public required string Process { get; init; }

    public required LimitParameters Parameters { get; init; }

    /// <summary>Slots asked for; 0 asks for none.</summary>
    public int Want { get; init; }

    /// <summary>Permits that the request needs whose turn is next: what a probe is given.</summary>
    public int FirstCost { get; init; }

    public bool SomeoneWaits { get; init; }

    /// <summary>The longest that one of those waits: a turn in the line that comes later is not taken.</summary>
    public Microseconds Patience { get; init; }

    /// <summary>It was told to come back, and the time is there.</summary>
    public bool HasTicket { get; init; }

    /// <summary>Permits asked for from the urgent reserve.</summary>
    public int Urgent { get; init; }

    /// <summary>Permits that were used already; negative where slots were kept instead of used.</summary>
    public double Debt { get; init; }

    /// <summary>By how many permits the vendor has less (positive) or more than was thought, in <see cref="CorrectionEpoch"/>.</summary>
    public double Correction { get; init; }

    public long CorrectionEpoch { get; init; }

    /// <summary>How long a 429 asked to wait; null where there was none.</summary>
    public Microseconds? ThrottledFor { get; init; }

    /// <summary>That 429 asked for more than is waited: at the block's end one request shows whether the vendor answers again.</summary>
    public bool IsCapped { get; init; }

    /// <summary>No block lasts longer from now on, whoever made it.</summary>
    public Microseconds LongestBlock { get; init; } = Microseconds.Never;

    /// <summary>What came of the probe.</summary>
    public ProbeResult Probe { get; init; }

    /// <summary>An operator ends the block.</summary>
    public bool Unblocks { get; init; }

    /// <summary>The store did not answer before.</summary>
    public bool WasAway { get; init; }

    /// <summary>The store's time in the last reply; 0 before the first.</summary>
    public Microseconds SeenNow { get; init; }

    /// <summary>How long that is ago by this process's clock: at least so much has passed.</summary>
    public Microseconds SeenSince { get; init; }

    public Microseconds SeenTat { get; init; }

    /// <summary>End of a block, in the store's time; 0 where none is known.</summary>
    public Microseconds SeenBlock { get; init; }

    /// <summary>Processes known of before the store was away; 0 to believe the store.</summary>
    public int KnownLive { get; init; }

    /// <summary>A 429 lowers the rate for a while.</summary>
    public bool Learns { get; init; } = true;

    /// <summary>When one of the vendor's own windows had begun at the latest, in the store's time; 0: nothing new, <see cref="BoundaryElsewhere"/>: not where it was thought.</summary>
    public Microseconds Boundary { get; init; }

    /// <summary>By how much it can have begun earlier.</summary>
    public Microseconds BoundaryWidth { get; init; }

    /// <summary>Slots that are not needed, by their time.</summary>
    public IReadOnlyList<Microseconds> Returned { get; init; } = [];
}

/// <summary>What a process has to tell of a probe.</summary>
internal enum ProbeResult
{
    None,

    /// <summary>It was not sent after all.</summary>
    NotSent,

    /// <summary>The vendor took it.</summary>
    Answered,
}

/// <summary>What a rate limit answers. Delays count from when the store wrote it.</summary>
internal sealed record RateLimitReply
{
    /// <summary>The store's time.</summary>
    public required Microseconds Now { get; init; }

    public Microseconds Tat { get; init; }

    /// <summary>Permits left in the bucket; negative where more were sold ahead.</summary>
    public double Level { get; init; }

    /// <summary>May be sent before it is told.</summary>
    public int Allowance { get; init; }

    /// <summary>The most slots that one call gets.</summary>
    public int Quantum { get; init; }

    public long Epoch { get; init; }

    /// <summary>With no slots: when this process's turn is; else 0.</summary>
    public Microseconds ComeBack { get; init; }

    /// <summary>Nobody sends for so long.</summary>
    public Microseconds Blocked { get; init; }

    /// <summary>Processes seen lately.</summary>
    public int Live { get; init; }

    /// <summary>Processes that have someone waiting.</summary>
    public int Active { get; init; }

    /// <summary>The past is unknown: each keeps to its share for so long.</summary>
    public Microseconds Held { get; init; }

    /// <summary>Urgent permits given.</summary>
    public int Urgent { get; init; }

    /// <summary>Part of the rate that is left after cuts.</summary>
    public double Multiplier { get; init; } = 1;

    /// <summary>The rate is that of the vendor's own windows, which are counted.</summary>
    public bool InWindow { get; init; }

    /// <summary>A block was shorter than the vendor asked: slots are those of one request, which shows whether it answers again.</summary>
    public bool IsProbing { get; init; }

    /// <summary>When an operator last ended a block, in the store's time; 0: never.</summary>
    public Microseconds Lifted { get; init; }

    public IReadOnlyList<ReservedSlot> Slots { get; init; } = [];
}

/// <summary>A permit for a time.</summary>
/// <param name="Delay">From the reply.</param>
/// <param name="At">The store's time: what it is given back by.</param>
internal readonly record struct ReservedSlot(Microseconds Delay, Microseconds At);
