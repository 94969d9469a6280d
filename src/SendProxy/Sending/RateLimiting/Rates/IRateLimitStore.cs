namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>Keeps a rate limit's state: for this process alone, or for the fleet.</summary>
internal interface IRateLimitStore
{
    /// <summary>Whether other processes share the limit.</summary>
    public bool IsShared { get; }

    /// <summary>An answer that took longer is none.</summary>
    public TimeSpan AnswersWithin { get; }

    /// <returns>Null where asking takes time: nothing was asked.</returns>
    public RateLimitReply? AskNow(RateLimitCall call);

    /// <summary>Never throws and always ends soon.</summary>
    /// <returns>Null where the store did not answer in time.</returns>
    public ValueTask<RateLimitReply?> AskAsync(RateLimitCall call);
}
