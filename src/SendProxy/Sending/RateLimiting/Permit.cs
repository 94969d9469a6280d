using System.Threading.RateLimiting;

namespace SendProxy.Sending.RateLimiting;

/// <summary>A permit, or why there is none. Granted ones are one shared object: the ready path allocates nothing.</summary>
internal sealed class Permit : RateLimitLease
{
    public static readonly Permit Granted = new(true, null, PermitRefusal.None);

    private static readonly string[] Names = [System.Threading.RateLimiting.MetadataName.RetryAfter.Name];

    private Permit(bool acquired, TimeSpan? retryAfter, PermitRefusal reason)
    {
        IsAcquired = acquired;
        RetryAfter = retryAfter;
        Reason = reason;
    }

    public override bool IsAcquired { get; }

    /// <summary>When it is worth asking again; null with a granted permit.</summary>
    public TimeSpan? RetryAfter { get; }

    public PermitRefusal Reason { get; }

    public override IEnumerable<string> MetadataNames => RetryAfter is null ? [] : Names;

    public static Permit Refused(PermitRefusal reason, TimeSpan retryAfter) => new(false, retryAfter, reason);

    public override bool TryGetMetadata(string metadataName, out object? metadata)
    {
        metadata = metadataName == Names[0] ? RetryAfter : null;
        return metadata is not null;
    }
}

/// <summary>Why there was no permit.</summary>
internal enum PermitRefusal
{
    None,

    /// <summary>The wait would not fit the request's deadline or the limit's maxWait.</summary>
    WaitTooLong,

    /// <summary>maxWaiting requests wait already.</summary>
    QueueFull,

    /// <summary>The limiter is gone: the process ends.</summary>
    Disposed,
}
