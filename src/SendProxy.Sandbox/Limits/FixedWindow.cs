namespace SendProxy.Sandbox.Limits;

/// <summary>So many requests in each window of unix time. Exact: the time of arrival decides.</summary>
internal sealed class FixedWindow(int requests, TimeSpan window, TimeSpan phase) : ILimit
{
    private readonly Lock _gate = new();
    private long _window = long.MinValue;
    private int _used;

    public LimitVerdict Acquire(DateTimeOffset now, bool take = true)
    {
        var sinceEpoch = (now - DateTimeOffset.UnixEpoch - phase).Ticks;
        lock (_gate)
        {
            var current = Math.DivRem(sinceEpoch, window.Ticks, out var into);
            // A request that was delayed on its way here counts in the newest window seen.
            if (current > _window) { (_window, _used) = (current, 0); }
            var passes = _used < requests;
            if (passes && take) { _used++; }
            var left = TimeSpan.FromTicks(window.Ticks - into);
            return new LimitVerdict(passes, requests, requests - _used, left, left);
        }
    }

    public void Release()
    {
    }
}
