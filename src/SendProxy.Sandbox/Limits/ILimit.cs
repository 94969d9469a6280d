namespace SendProxy.Sandbox.Limits;

/// <summary>Decides whether a request may pass. Safe for threads.</summary>
internal interface ILimit
{
    /// <summary>Takes one permit at <paramref name="now"/>, unless it refuses. A refusal takes nothing.</summary>
    /// <param name="now">Time of arrival.</param>
    /// <param name="take">False only looks, for the headers of an answer that costs nothing.</param>
    public LimitVerdict Acquire(DateTimeOffset now, bool take = true);

    /// <summary>Says that a request which passed has ended.</summary>
    public void Release();
}

/// <summary>What a limit says to one request.</summary>
/// <param name="Passes">The request may go on.</param>
/// <param name="Limit">Requests that the limit allows.</param>
/// <param name="Remaining">Requests that may follow now.</param>
/// <param name="Reset">Time until the full limit is there again.</param>
/// <param name="RetryAfter">Time until one more request would pass.</param>
internal readonly record struct LimitVerdict(
    bool Passes, int Limit, int Remaining, TimeSpan Reset, TimeSpan RetryAfter);
