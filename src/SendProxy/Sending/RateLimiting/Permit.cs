using System.Threading.RateLimiting;
using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting;

/// <summary>How a permit was obtained: what the header SendProxy-Limiter says.</summary>
internal enum PermitMode
{
    /// <summary>No permit was obtained, or no limit applies.</summary>
    Off,

    /// <summary>There was room: the request is sent at once, and the fleet is told afterwards.</summary>
    Ready,

    /// <summary>A slot that the fleet's store reserved, at its time.</summary>
    Reserved,

    /// <summary>This process alone keeps the limit.</summary>
    Local,

    /// <summary>Redis is away: this process's share.</summary>
    Share,
}

internal static class PermitModes
{
    private static readonly string[] Words = [.. Enum.GetValues<PermitMode>().Select(m => m.ToString().ToLowerInvariant())];

    /// <returns>As the header, the metrics and docs/METRICS.md have it: <c>ready</c>.</returns>
    public static string Word(this PermitMode mode) => Words[(int)mode];
}

/// <summary>A permit, or why there is none.</summary>
/// <param name="Level">What was left at its grant, for learning; NaN where that is not known.</param>
/// <param name="LevelEpoch">Of which the store's epoch <paramref name="Level"/> is; -1 where that is not known.</param>
/// <param name="Cost">How many it counts for.</param>
/// <param name="RetryAfter">Without a permit: when it is worth asking again.</param>
internal readonly record struct Permit(PermitMode Mode, double Level, long LevelEpoch, int Cost, PermitRefusal Reason, TimeSpan RetryAfter)
{
    /// <summary>Of a limit of so many at once: when it was given, by the limiter's clock.</summary>
    public Microseconds GrantedAt { get; init; }

    /// <summary>Of a quota: the period that it counts in, by its start in unix seconds.</summary>
    public long QuotaPeriod { get; init; }

    /// <summary>The first permit after a block that was shorter than the vendor asked for: its outcome decides for all that wait.</summary>
    public bool IsProbe { get; init; }

    public bool IsAcquired => Reason == PermitRefusal.None;

    public static Permit Granted(PermitMode mode, int cost, double level = double.NaN, long levelEpoch = -1) =>
        new(mode, level, levelEpoch, cost, PermitRefusal.None, default);

    public static Permit Refused(PermitRefusal reason, TimeSpan retryAfter) => new(PermitMode.Off, double.NaN, -1, 0, reason, retryAfter);

    /// <summary>As the base type gives it.</summary>
    public RateLimitLease ToLease(Action? end = null) => new Lease(this, end);

    private sealed class Lease(Permit permit, Action? end) : RateLimitLease
    {
        private static readonly string[] Names = [MetadataName.RetryAfter.Name];
        private Action? _end = end;

        public override bool IsAcquired => permit.IsAcquired;

        public override IEnumerable<string> MetadataNames => permit.IsAcquired ? [] : Names;

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = !permit.IsAcquired && metadataName == Names[0] ? permit.RetryAfter : null;
            return metadata is not null;
        }

        protected override void Dispose(bool disposing)
        {
            Interlocked.Exchange(ref _end, null)?.Invoke();
            base.Dispose(disposing);
        }
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

    /// <summary>The period's permits are used up.</summary>
    QuotaUsed,

    /// <summary>Redis is away, and the limit says closed.</summary>
    Closed,

    /// <summary>The limiter is gone: the process ends.</summary>
    Disposed,
}
