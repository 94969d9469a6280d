namespace SendProxy.Sandbox.Limits;

/// <summary>So many requests that run at once.</summary>
internal sealed class Concurrency(int requests) : ILimit
{
    // Nobody knows when a running request ends; a second is what the vendor advises.
    private static readonly TimeSpan Advice = TimeSpan.FromSeconds(1);
    private int _running;

    public LimitVerdict Acquire(DateTimeOffset now, bool take = true)
    {
        if (!take)
        {
            var free = Math.Max(0, requests - Volatile.Read(ref _running));
            return new LimitVerdict(free > 0, requests, free, Advice, Advice);
        }

        var running = Interlocked.Increment(ref _running);
        if (running <= requests) { return new LimitVerdict(true, requests, requests - running, Advice, Advice); }
        Interlocked.Decrement(ref _running);
        return new LimitVerdict(false, requests, 0, Advice, Advice);
    }

    public void Release() => Interlocked.Decrement(ref _running);
}
