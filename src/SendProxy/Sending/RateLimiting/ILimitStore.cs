namespace SendProxy.Sending.RateLimiting;

/// <summary>Keeps a limit's state: for this process alone, or for the fleet. Every kind of limit asks it the same way.</summary>
/// <typeparam name="TCall">What one process tells and asks.</typeparam>
/// <typeparam name="TReply">What the state says to it.</typeparam>
internal interface ILimitStore<TCall, TReply>
    where TReply : class
{
    /// <summary>Whether other processes share the limit.</summary>
    public bool IsShared { get; }

    /// <summary>An answer that took longer is none.</summary>
    public TimeSpan AnswersWithin { get; }

    /// <returns>Null where asking takes time: nothing was asked.</returns>
    public TReply? AskNow(TCall call);

    /// <summary>Never throws and always ends soon.</summary>
    /// <returns>Null where the store did not answer in time.</returns>
    public ValueTask<TReply?> AskAsync(TCall call);
}
