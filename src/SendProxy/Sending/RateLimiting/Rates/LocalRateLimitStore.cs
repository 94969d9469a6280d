namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>A limit of this process alone: no other knows of it, and it ends with the process. Answers at once.</summary>
internal sealed class LocalRateLimitStore(TimeProvider time) : ILimitStore<RateLimitCall, RateLimitReply>
{
    // A point of time that is no zero: zero means "never" in the book.
    private const double Beginning = 1e9;

    private readonly RateLimitState _book = new() { Hold = 0 };
    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();

    public bool IsShared => false;

    public TimeSpan AnswersWithin => TimeSpan.Zero;

    public RateLimitReply AskNow(RateLimitCall call)
    {
        lock (_lock)
        {
            return _book.Run(Beginning + time.GetElapsedTime(_start).TotalMicroseconds, call);
        }
    }

    public ValueTask<RateLimitReply?> AskAsync(RateLimitCall call) => new(AskNow(call));
}
