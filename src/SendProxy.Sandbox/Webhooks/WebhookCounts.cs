namespace SendProxy.Sandbox.Webhooks;

/// <summary>What became of deliveries, in numbers.</summary>
internal sealed class WebhookCounts
{
    private long _emitted;
    private long _pending;
    private long _attempts;
    private long _delivered;
    private long _givenUp;
    private long _dropped;

    /// <summary>Deliveries taken.</summary>
    public long Emitted => Interlocked.Read(ref _emitted);

    /// <summary>Taken, and neither delivered nor given up.</summary>
    public long Pending => Interlocked.Read(ref _pending);

    public long Attempts => Interlocked.Read(ref _attempts);

    /// <summary>Answered with 200.</summary>
    public long Delivered => Interlocked.Read(ref _delivered);

    /// <summary>Not answered with 200 by the last attempt.</summary>
    public long GivenUp => Interlocked.Read(ref _givenUp);

    /// <summary>Not taken because too many waited.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    public void Take()
    {
        Interlocked.Increment(ref _emitted);
        Interlocked.Increment(ref _pending);
    }

    public void Drop() => Interlocked.Increment(ref _dropped);

    public void Attempted(bool isDelivered, bool isLast)
    {
        Interlocked.Increment(ref _attempts);
        if (isDelivered) { Interlocked.Increment(ref _delivered); }
        else if (isLast) { Interlocked.Increment(ref _givenUp); }
        if (isLast) { Interlocked.Decrement(ref _pending); }
    }

    /// <summary>Starts from zero, but for what is under way.</summary>
    public void Clear(int forgotten)
    {
        Interlocked.Add(ref _pending, -forgotten);
        _emitted = _attempts = _delivered = _givenUp = _dropped = 0;
    }
}
