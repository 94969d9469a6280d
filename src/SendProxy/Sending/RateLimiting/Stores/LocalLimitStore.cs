namespace SendProxy.Sending.RateLimiting.Stores;

/// <summary>A limit of this process alone: no other knows of it, and it ends with the process. Answers at once.</summary>
internal sealed class LocalLimitStore(TimeProvider time) : ILimitStore
{
    // A point of time that is no zero: zero means "never" in the book.
    private const double Beginning = 1e9;

    private readonly LimitBook _book = new() { Hold = 0 };
    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();

    public bool IsShared => false;

    public LimitReply AskNow(LimitCall call)
    {
        lock (_lock)
        {
            return _book.Run(Beginning + time.GetElapsedTime(_start).TotalMicroseconds, call);
        }
    }

    public ValueTask<LimitReply?> AskAsync(LimitCall call) => new(AskNow(call));
}
