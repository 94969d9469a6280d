using SendProxy.Errors;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Sending.RateLimiting;

/// <summary>The permits of one message: taken for each attempt, ended with it. One at a time uses it.</summary>
internal sealed class SendPermits
{
    private readonly IReadOnlyList<PlanLimiter> _limits;
    private readonly PermitRequest[] _requests;
    private readonly Permit[] _permits;
    private readonly TimeProvider _time;
    private long _takenAt;
    private bool _held;

    public SendPermits(OutboundMessage message, TimeProvider time)
    {
        (_limits, _time) = (message.Plan.Limits, time);
        if (_limits.Count == 0)
        {
            (_requests, _permits) = ([], []);
            return;
        }

        _permits = new Permit[_limits.Count];
        _requests = new PermitRequest[_limits.Count];
        for (var i = 0; i < _requests.Length; i++)
        {
            _requests[i] = new PermitRequest(message.Lane, message.Cost, IsRepeat: false, message.Pers?[i]);
        }
    }

    /// <summary>How the permits of the last attempt were come by: the hardest way of all.</summary>
    public PermitMode Mode { get; private set; }

    /// <returns>Null: one of each limit is held. Else why not, and none is.</returns>
    public async ValueTask<Refusal?> TakeAsync(bool isRepeat, Deadline deadline, CancellationToken caller)
    {
        if (_limits.Count == 0)
        {
            return null;
        }

        if (isRepeat)
        {
            for (var i = 0; i < _requests.Length; i++)
            {
                _requests[i] = _requests[i] with { IsRepeat = true };
            }
        }

        if (await PermitAcquirer.TakeAsync(_limits, _requests, _permits, deadline, caller) is { } refusal)
        {
            return refusal;
        }

        (_held, _takenAt) = (true, _time.GetTimestamp());
        foreach (var permit in _permits)
        {
            Mode = permit.Mode > Mode ? permit.Mode : Mode;
        }

        return null;
    }

    /// <summary>The attempt is over. Does nothing where no permit is held.</summary>
    /// <param name="started">False: nothing of it can have reached the vendor, and the permits go back.</param>
    /// <param name="refusal">Whether the vendor refused for want of permits, and of whose.</param>
    public void End(bool started, RateHint? hint, RefusalScope refusal)
    {
        if (!_held)
        {
            return;
        }

        _held = false;
        if (!started)
        {
            PermitAcquirer.GiveBack(_limits, _requests, _permits);
            return;
        }

        RateLimitFeedbackSample? learned = hint is { } heard
            ? new RateLimitFeedbackSample(heard.Remaining, heard.Limit, heard.ResetAfter, heard.ResetBlur, _time.GetElapsedTime(_takenAt))
            : null;
        for (var i = 0; i < _limits.Count; i++)
        {
            // An answer to one recipient says nothing of the plan, but the vendor gave it.
            _limits[i].Ended(_requests[i], _permits[i], refusal is RefusalScope.Status or RefusalScope.Plan ? null : learned);
            if (IsMeant(_limits[i], refusal))
            {
                _limits[i].Throttle(_requests[i], new VendorRefusal(
                    hint?.Wait ?? TimeSpan.Zero, hint?.IsCapped ?? false, hint?.Remaining, hint?.Limit, hint?.ResetAfter, refusal != RefusalScope.Status));
            }
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
