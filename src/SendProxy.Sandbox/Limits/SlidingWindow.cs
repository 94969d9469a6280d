namespace SendProxy.Sandbox.Limits;

/// <summary>So many requests in any stretch of the window's length. Exact: it keeps the time of each one.</summary>
internal sealed class SlidingWindow(int requests, TimeSpan window) : ILimit
{
    private readonly Lock _gate = new();
    private readonly Queue<DateTimeOffset> _passed = new();

    public LimitVerdict Acquire(DateTimeOffset now, bool take = true)
    {
        lock (_gate)
        {
            while (_passed.TryPeek(out var oldest) && now - oldest >= window) { _passed.Dequeue(); }
            var passes = _passed.Count < requests;
            if (passes && take) { _passed.Enqueue(now); }
            var next = _passed.Count < requests ? TimeSpan.Zero : _passed.Peek() + window - now;
            // The last one has just passed, or the newest known one holds the window longest.
            var reset = passes && take ? window : next;
            return new LimitVerdict(passes, requests, requests - _passed.Count, reset, next);
        }
    }

    public void Release()
    {
    }
}
