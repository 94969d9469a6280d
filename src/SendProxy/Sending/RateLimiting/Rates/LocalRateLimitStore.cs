using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>A limit of this process alone: no other knows of it, and it ends with the process. Answers at once.</summary>
internal sealed class LocalRateLimitStore(TimeProvider time) : ILimitStore<RateLimitCall, RateLimitReply>
{
    // A point of time that is no zero: zero means "never" in the book.
    private static readonly Microseconds Beginning = Microseconds.FromSeconds(1000);

    private readonly RateLimitState _book = new() { Hold = 0 };
    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();

    public bool IsShared => false;

    public TimeSpan AnswersWithin => TimeSpan.Zero;

    public RateLimitReply AskNow(RateLimitCall call)
    {
        lock (_lock)
        {
            return _book.Run(Beginning + Microseconds.From(time.GetElapsedTime(_start)), call);
        }
    }

    public ValueTask<RateLimitReply?> AskAsync(RateLimitCall call) => new(AskNow(call));
}
