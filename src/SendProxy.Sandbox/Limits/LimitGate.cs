namespace SendProxy.Sandbox.Limits;

/// <summary>All limits of the vendor in a row. They can be changed while requests run.</summary>
internal sealed class LimitGate
{
    // A vendor without a limit still tells one: the number is so large that it never binds.
    private const int Unlimited = 1_000_000;
    private static readonly LimitVerdict Open =
        new(true, Unlimited, Unlimited, TimeSpan.FromSeconds(1), TimeSpan.Zero);

    private readonly Lock _gate = new();
    private ILimit[] _limits = [];
    private DateTimeOffset _closedUntil = DateTimeOffset.MinValue;
    private int _hasClosed;

    public LimitGate(IEnumerable<LimitOptions> limits) => Replace(limits);

    /// <summary>Starts these limits afresh and forgets the ones before.</summary>
    public void Replace(IEnumerable<LimitOptions> limits)
    {
        // Concurrency first: its permit can be given back when a later limit refuses.
        var built = limits.OrderByDescending(l => l.Kind == LimitKind.Concurrency).Select(l => l.Build()).ToArray();
        Volatile.Write(ref _limits, built);
        Volatile.Write(ref _hasClosed, 0);
    }

    /// <summary>Refuses everything until <paramref name="until"/>: what a vendor does that told Remaining 0.</summary>
    public void Close(DateTimeOffset until)
    {
        lock (_gate) { _closedUntil = until; }
        Volatile.Write(ref _hasClosed, 1);
    }

    /// <summary>Asks all limits; the one with the least remaining speaks.</summary>
    /// <param name="now">Time of arrival.</param>
    /// <param name="lease">To be released when the request has ended; empty after a refusal.</param>
    public LimitVerdict Acquire(DateTimeOffset now, out LimitLease lease)
    {
        lease = default;
        if (Volatile.Read(ref _hasClosed) == 1 && ClosedFor(now) is { } left)
        {
            return new LimitVerdict(false, Unlimited, 0, left, left);
        }

        var limits = Volatile.Read(ref _limits);
        var strictest = Open;
        for (var i = 0; i < limits.Length; i++)
        {
            var verdict = limits[i].Acquire(now);
            if (!verdict.Passes)
            {
                new LimitLease(limits, i).Release();
                return verdict;
            }

            if (verdict.Remaining < strictest.Remaining) { strictest = verdict; }
        }

        lease = new LimitLease(limits, limits.Length);
        return strictest;
    }

    /// <summary>What the limits would say, without taking anything.</summary>
    public LimitVerdict Look(DateTimeOffset now)
    {
        var strictest = Open;
        foreach (var limit in Volatile.Read(ref _limits))
        {
            var verdict = limit.Acquire(now, take: false);
            if (verdict.Remaining < strictest.Remaining) { strictest = verdict; }
        }

        return strictest;
    }

    private TimeSpan? ClosedFor(DateTimeOffset now)
    {
        lock (_gate)
        {
            if (now < _closedUntil) { return _closedUntil - now; }
            Volatile.Write(ref _hasClosed, 0);
            return null;
        }
    }
}

/// <summary>Permits held by one request.</summary>
internal readonly struct LimitLease(ILimit[] limits, int held)
{
    public void Release()
    {
        for (var i = 0; i < held; i++) { limits[i].Release(); }
    }
}
