using System.Threading.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Sending.RateLimiting;

/// <summary>What one request asks of one limit.</summary>
/// <param name="Cost">Permits; at least 1.</param>
/// <param name="IsRepeat">A further attempt of a message.</param>
/// <param name="Per">Of limits with <c>per</c>: whose limit it is, hashed; else null.</param>
internal readonly record struct PermitRequest(Lane Lane, int Cost, bool IsRepeat, string? Per = null);

/// <summary>What the vendor's answer said of the limit.</summary>
/// <param name="Remaining">Null where it does not say.</param>
/// <param name="Limit">Null where it does not say.</param>
/// <param name="ResetAfter">Null where it does not say.</param>
/// <param name="ResetBlur">How far <paramref name="ResetAfter"/> may lie from what the vendor meant.</param>
/// <param name="Delay">From the permit to the answer's headers.</param>
internal readonly record struct RateLimitFeedbackSample(long? Remaining, long? Limit, TimeSpan? ResetAfter, TimeSpan ResetBlur, TimeSpan Delay);

/// <summary>An answer by which the vendor refused a request for want of permits.</summary>
/// <param name="Wait">How long nothing is to be sent; zero where it did not say.</param>
/// <param name="IsCapped">It asked for a longer wait than is believed: after <paramref name="Wait"/> one request tries.</param>
/// <param name="Remaining">What it says of the limit, each as in <see cref="RateLimitFeedbackSample"/>.</param>
/// <param name="IsDeclared">A rule of the preset or of the configuration says that the plan is meant; else the status alone does.</param>
internal readonly record struct VendorRefusal(TimeSpan Wait, bool IsCapped, long? Remaining, long? Limit, TimeSpan? ResetAfter, bool IsDeclared);

/// <summary>What a refusal is about.</summary>
internal enum RefusalScope
{
    /// <summary>The vendor did not refuse.</summary>
    None,

    /// <summary>The plan, as far as the status tells.</summary>
    Status,

    /// <summary>The plan, as a rule says.</summary>
    Plan,

    /// <summary>One recipient only: no limit but those with <c>per</c>.</summary>
    Recipient,
}

/// <summary>One limit of a vendor's plan. A <see cref="RateLimiter"/>, with lanes, deadlines and what the vendor says beside.</summary>
internal abstract class PlanLimiter(LimitOptions options, LaneTable lanes) : RateLimiter
{
    public LimitOptions Options => options;

    public string Name => options.Name;

    /// <summary>The plan for the application: RateLimit-Policy of the same draft.</summary>
    public string Policy { get; } = options.Rate is { } rate
        ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"\"{options.Name}\";q={rate.Permits};w={Math.Max(1, (long)rate.Per.TotalSeconds)}")
        : "";

    /// <summary>Takes what is there now; never waits.</summary>
    public abstract bool TryTake(in PermitRequest request, out Permit permit);

    /// <param name="maxWait">The most that the request can wait; the limit's own maxWait bounds it too.</param>
    /// <returns>A permit, or a refusal that says when to come back: at once where the wait would not fit.</returns>
    public abstract ValueTask<Permit> AcquireAsync(PermitRequest request, TimeSpan maxWait, CancellationToken cancellation);

    /// <summary>How long a request would wait that asked now.</summary>
    public abstract TimeSpan Predict(in PermitRequest request);

    /// <summary>A permit was not used: nothing was sent.</summary>
    public abstract void GiveBack(in PermitRequest request, Permit permit);

    /// <summary>The attempt that used the permit has ended, with an answer or without. Once for each permit.</summary>
    public virtual void Ended(in PermitRequest request, Permit permit, RateLimitFeedbackSample? learned)
    {
    }

    /// <summary>The vendor said 429.</summary>
    public virtual void Throttle(in PermitRequest request, in VendorRefusal refusal)
    {
    }

    /// <summary>How long the vendor's own block lasts yet that a request would meet; zero where there is none.</summary>
    public virtual TimeSpan BlockedFor(in PermitRequest request) => TimeSpan.Zero;

    /// <summary>An operator ends a block, of this process and of the fleet's state that it knows of.</summary>
    /// <returns>False where the limit is never blocked.</returns>
    public virtual bool Unblock() => false;

    /// <summary>
    /// For the application, as RateLimit of draft-ietf-httpapi-ratelimit-headers-10: how many requests this process lets go within
    /// so many whole seconds: the plan's window, or the time that a request may wait where that is shorter. Only as good as this
    /// process knows.
    /// </summary>
    /// <returns>Null where the limit has no one state: for each value, of a quota, of requests at once.</returns>
    public virtual (long Left, long ResetSeconds)? RateLimitHeader => null;

    /// <summary>What is going on, for people.</summary>
    public abstract IEnumerable<LimitView> Views();

    protected override RateLimitLease AttemptAcquireCore(int permitCount)
    {
        var request = Whole(permitCount);
        if (permitCount == 0)
        {
            return Predict(request) <= TimeSpan.Zero ? default(Permit).ToLease() : Permit.Refused(PermitRefusal.WaitTooLong, Predict(request)).ToLease();
        }

        return TryTake(request, out var permit)
            ? permit.ToLease(() => Ended(request, permit, null))
            : (permit.Reason == PermitRefusal.None ? Permit.Refused(PermitRefusal.WaitTooLong, AtLeast(Predict(request))) : permit).ToLease();
    }

    protected override async ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken)
    {
        var request = Whole(permitCount);
        if (permitCount == 0)
        {
            return AttemptAcquireCore(0);
        }

        var permit = await AcquireAsync(request, options.MaxWait, cancellationToken);
        return permit.ToLease(permit.IsAcquired ? () => Ended(request, permit, null) : null);
    }

    private static TimeSpan AtLeast(TimeSpan wait) => wait > TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(1);

    private PermitRequest Whole(int permits)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(permits, nameof(permits));
        return new PermitRequest(lanes.Usual, Math.Max(1, permits), IsRepeat: false);
    }
}

/// <summary>A limit as <c>sendproxy limits</c> and the status page show it.</summary>
/// <param name="Plan">As configured: <c>100/s</c>, <c>50 at once</c>, <c>100000 a calendar month</c>.</param>
/// <param name="Mode">ready, reserved, blocked, share, local, closed.</param>
/// <param name="InForce">What it keeps to now, and why it is less than the plan where it is.</param>
/// <param name="Used">Permits taken since the process began.</param>
/// <param name="Left">Permits there now; null where unknown.</param>
internal sealed record LimitView(
    string Name, string Plan, string Mode, string InForce, long Used, double? Left, int Waiting, int Processes, double BlockedSeconds,
    long? VendorLimit, long? VendorRemaining, double? VendorResetSeconds);
