namespace SendProxy.Upstreams.Credentials;

/// <summary>Counts of one key in this process. Safe for use by many at once.</summary>
internal sealed class CredentialUsage
{
    private long _answers;
    private long _rejected;
    private long _running;
    private long _acceptedTicks;
    private long _rejectedTicks;
    private long _fleetTicks;
    private long _alarmed = long.MinValue;
    private long _told = long.MinValue;

    /// <summary>Answers that accepted the key.</summary>
    public long Answers => Interlocked.Read(ref _answers);

    /// <summary>Answers that refused it: 401.</summary>
    public long Rejections => Interlocked.Read(ref _rejected);

    /// <summary>Attempts under it that have no end yet.</summary>
    public long Running => Interlocked.Read(ref _running);

    public DateTimeOffset? LastAccepted => At(ref _acceptedTicks);

    /// <summary>The latest that any process of the fleet told; null where none did.</summary>
    public DateTimeOffset? FleetAccepted => At(ref _fleetTicks);

    /// <summary>The later of this process's and the fleet's.</summary>
    public DateTimeOffset? AcceptedAnywhere => FleetAccepted is { } fleet && !(LastAccepted >= fleet) ? fleet : LastAccepted;

    public DateTimeOffset? LastRejected => At(ref _rejectedTicks);

    public void Begin() => Interlocked.Increment(ref _running);

    public void End() => Interlocked.Decrement(ref _running);

    public void Accept(DateTimeOffset now)
    {
        Interlocked.Increment(ref _answers);
        Interlocked.Exchange(ref _acceptedTicks, now.UtcTicks);
    }

    public void LearnFleet(DateTimeOffset accepted) => Interlocked.Exchange(ref _fleetTicks, accepted.UtcTicks);

    /// <returns>Whether the alarm is due.</returns>
    public bool Reject(TimeProvider time, TimeSpan every)
    {
        Interlocked.Increment(ref _rejected);
        Interlocked.Exchange(ref _rejectedTicks, time.GetUtcNow().UtcTicks);
        return Due(ref _alarmed, time, every);
    }

    /// <returns>Whether it is to be told.</returns>
    public bool TellTakeOver(TimeProvider time, TimeSpan every) => Due(ref _told, time, every);

    private static DateTimeOffset? At(ref long ticks) =>
        Interlocked.Read(ref ticks) is var t and > 0 ? new DateTimeOffset(t, TimeSpan.Zero) : null;

    private static bool Due(ref long last, TimeProvider time, TimeSpan every)
    {
        var (before, now) = (Interlocked.Read(ref last), time.GetTimestamp());
        return (before == long.MinValue || time.GetElapsedTime(before, now) >= every)
            && Interlocked.CompareExchange(ref last, now, before) == before;
    }
}
