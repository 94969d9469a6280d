using Prometheus;

namespace SendProxy.Upstreams.Connections;

/// <summary>
/// A bound of requests at once for one upstream or one route (the bulkhead pattern): what goes beyond it is refused at once, so
/// that a vendor that hangs cannot take the places of all others. Safe for threads.
/// </summary>
/// <param name="inFlight">Shows how many places are taken; null where nobody looks.</param>
internal sealed class Bulkhead(int limit, Gauge.Child? inFlight = null)
{
    private int _taken;
    private int _limit = limit;

    /// <summary>Requests at once. A reload may change it; who is inside stays.</summary>
    public int Limit
    {
        get => Volatile.Read(ref _limit);
        set => Volatile.Write(ref _limit, value);
    }

    /// <returns>False where all places are taken. After true, <see cref="Leave"/> is called once.</returns>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _taken) > Limit)
        {
            Interlocked.Decrement(ref _taken);
            return false;
        }

        inFlight?.Inc();
        return true;
    }

    public void Leave()
    {
        Interlocked.Decrement(ref _taken);
        inFlight?.Dec();
    }
}
