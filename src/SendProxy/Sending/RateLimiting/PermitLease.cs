using SendProxy.Errors;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Sending.RateLimiting;

/// <summary>
/// The permits of one attempt, one of each limit of its plan, or why there are none: for several limits and with a vendor's
/// feedback what <see cref="System.Threading.RateLimiting.RateLimitLease"/> is for one. It has one owner: whoever acquired it
/// passes it to the attempt, and the attempt disposes of it.
/// <code>
///     held --Complete (the request was sent)--> used
///          --Dispose  (nothing was sent)------> given back
/// </code>
/// </summary>
internal sealed class PermitLease : IDisposable
{
    /// <summary>Of a plan without limits; it holds nothing, and all sends may share it.</summary>
    public static readonly PermitLease Unlimited = new([], [], [], TimeProvider.System);

    private readonly IReadOnlyList<PlanLimiter> _limits;
    private readonly PermitRequest[] _requests;
    private readonly Permit[] _permits;
    private readonly TimeProvider _time;
    private readonly long _acquiredAt;
    private bool _isHeld;

    private PermitLease(IReadOnlyList<PlanLimiter> limits, PermitRequest[] requests, Permit[] permits, TimeProvider time)
    {
        (_limits, _requests, _permits, _time) = (limits, requests, permits, time);
        _acquiredAt = limits.Count == 0 ? 0 : time.GetTimestamp();
        _isHeld = limits.Count > 0;
        foreach (var permit in permits)
        {
            Mode = permit.Mode > Mode ? permit.Mode : Mode;
        }
    }

    private PermitLease(Refusal refusal)
        : this([], [], [], TimeProvider.System) => Refusal = refusal;

    /// <summary>Null: one permit of each limit was acquired. Else why not, and none is held.</summary>
    public Refusal? Refusal { get; }

    /// <summary>How the permits were obtained: of several limits the mode that took most.</summary>
    public PermitMode Mode { get; }

    /// <param name="isRepeat">A further attempt of the message.</param>
    /// <exception cref="OperationCanceledException">The caller left while it waited; nothing is held.</exception>
    public static async ValueTask<PermitLease> AcquireAsync(OutboundMessage message, bool isRepeat, TimeProvider time, CancellationToken caller)
    {
        var limits = message.Plan.Limits;
        if (limits.Count == 0)
        {
            return Unlimited;
        }

        var permits = new Permit[limits.Count];
        var requests = new PermitRequest[limits.Count];
        for (var i = 0; i < requests.Length; i++)
        {
            requests[i] = new PermitRequest(message.Lane, message.Cost, isRepeat, message.Pers?[i]);
        }

        return await PermitAcquirer.TakeAsync(limits, requests, permits, message.Deadline, caller) is { } refusal
            ? new PermitLease(refusal)
            : new PermitLease(limits, requests, permits, time);
    }

    /// <summary>The attempt is over, and the vendor may have counted it. Does nothing where the lease has ended.</summary>
    /// <param name="hint">What the response said of the limit; null where none came.</param>
    /// <param name="refusal">Whether the vendor refused for want of permits, and of whose.</param>
    public void Complete(RateHint? hint = null, RefusalScope refusal = RefusalScope.None)
    {
        if (!_isHeld)
        {
            return;
        }

        _isHeld = false;
        RateLimitFeedbackSample? feedback = hint is { } heard
            ? new RateLimitFeedbackSample(heard.Remaining, heard.Limit, heard.ResetAfter, heard.ResetBlur, _time.GetElapsedTime(_acquiredAt))
            : null;
        for (var i = 0; i < _limits.Count; i++)
        {
            // A refusal of one recipient says nothing against the plan, but the vendor processed the request.
            _limits[i].Ended(_requests[i], _permits[i], refusal is RefusalScope.Status or RefusalScope.Plan ? null : feedback);
            if (IsMeant(_limits[i], refusal))
            {
                _limits[i].Throttle(_requests[i], new VendorRefusal(
                    hint?.Wait ?? TimeSpan.Zero, hint?.IsCapped ?? false, hint?.Remaining, hint?.Limit, hint?.ResetAfter, refusal != RefusalScope.Status));
            }
        }
    }

    /// <summary>Gives the permits back, unless they were used: nothing of the attempt can have reached the vendor.</summary>
    public void Dispose()
    {
        if (_isHeld)
        {
            _isHeld = false;
            PermitAcquirer.GiveBack(_limits, _requests, _permits);
        }
    }

    // One recipient's refusal means the limits with per, and a plan's means the others, where there are any.
    private bool IsMeant(PlanLimiter limit, RefusalScope refusal) => refusal switch
    {
        RefusalScope.None => false,
        RefusalScope.Recipient => limit.Options.Per is not null,
        _ => limit.Options.Per is null || _limits.All(l => l.Options.Per is not null),
    };
}
