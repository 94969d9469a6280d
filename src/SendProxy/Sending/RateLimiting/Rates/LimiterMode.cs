namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>The states of <see cref="RateLimiterStateMachine"/>. docs/RATE-LIMITS.md draws them.</summary>
internal enum LimiterMode
{
    /// <summary>The bucket is short, or nothing is known yet: a permit is a slot that the store reserves.</summary>
    Reserving,

    /// <summary>There is room: permits go out at once and are told behind.</summary>
    PostPaid,

    /// <summary>A block has ended that was shorter than the vendor asked: one request shows whether it answers again.</summary>
    Probing,

    /// <summary>The vendor asked to send nothing.</summary>
    Blocked,

    /// <summary>The store does not answer, or knows nothing of the past: this process keeps to its share.</summary>
    Degraded,

    /// <summary>The limiter is gone.</summary>
    Closed,
}

/// <summary>Which state may follow which.</summary>
internal static class LimiterModes
{
    /// <summary>One row a state: those that may follow it. A test holds every simulated fleet to it, and the page to this.</summary>
    public static readonly IReadOnlyDictionary<LimiterMode, LimiterMode[]> Transitions = new Dictionary<LimiterMode, LimiterMode[]>
    {
        [LimiterMode.Reserving] = [LimiterMode.PostPaid, LimiterMode.Probing, LimiterMode.Blocked, LimiterMode.Degraded, LimiterMode.Closed],
        [LimiterMode.PostPaid] = [LimiterMode.Reserving, LimiterMode.Probing, LimiterMode.Blocked, LimiterMode.Degraded, LimiterMode.Closed],
        [LimiterMode.Probing] = [LimiterMode.Reserving, LimiterMode.PostPaid, LimiterMode.Blocked, LimiterMode.Degraded, LimiterMode.Closed],
        [LimiterMode.Blocked] = [LimiterMode.Reserving, LimiterMode.Degraded, LimiterMode.Closed],
        [LimiterMode.Degraded] = [LimiterMode.Reserving, LimiterMode.Blocked, LimiterMode.Closed],
        [LimiterMode.Closed] = [],
    };

    public static bool IsAllowed(LimiterMode from, LimiterMode to) => Transitions[from].Contains(to);
}
