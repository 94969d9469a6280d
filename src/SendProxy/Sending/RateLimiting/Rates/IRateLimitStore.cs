namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>Keeps a limit's state: for this process alone, or for the fleet.</summary>
internal interface IRateLimitStore
{
    /// <summary>Whether other processes share the limit.</summary>
    public bool IsShared { get; }

    /// <returns>Null where asking takes time: nothing was asked.</returns>
    public RateLimitReply? AskNow(RateLimitCall call);

    /// <summary>Never throws and always ends soon.</summary>
    /// <returns>Null where the store did not answer in time.</returns>
    public ValueTask<RateLimitReply?> AskAsync(RateLimitCall call);
}

/// <summary>Times that all processes of a fleet agree on, in microseconds. docs/RATE-LIMITS.md, "What it does".</summary>
internal static class RateLimitConstants
{
    /// <summary>How far ahead slots are sold.</summary>
    public const double Horizon = 100_000;

    /// <summary>One call gets slots for at most so long, divided by those who wait.</summary>
    public const double Quantum = 100_000;

    /// <summary>After a loss of state nobody is granted anything for so long.</summary>
    public const double Hold = 400_000;
}
