namespace SendProxy.Upstreams;

/// <summary>
/// Decorrelated jitter: each wait is drawn between the base and three times the last one, so that callers that failed
/// together do not come back together. It stands below the two rooms that wait for somebody, Sending and FanOut.
/// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
/// </summary>
internal static class Backoff
{
    /// <param name="last">The wait before; zero for the first.</param>
    /// <param name="hint">What the vendor asked for; the longer of both is taken.</param>
    /// <param name="draw">0 up to 1.</param>
    /// <returns>Between half of <paramref name="baseDelay"/> and <paramref name="maxDelay"/>, but never below the hint.</returns>
    public static TimeSpan Next(TimeSpan last, TimeSpan baseDelay, TimeSpan maxDelay, TimeSpan? hint, double draw)
    {
        var low = baseDelay / 2;
        var high = last == TimeSpan.Zero ? baseDelay * 1.5 : last * 3;
        var wait = low + ((high > low ? high - low : TimeSpan.Zero) * draw);
        wait = wait > maxDelay ? maxDelay : wait;
        return hint is { } asked && asked > wait ? asked : wait;
    }
}
