namespace SendProxy.Sending.RateLimiting.Rates;

/// <content>Blocks, their end by hand, and probes.</content>
internal sealed partial class RateLimiterStateMachine
{
    /// <summary>The fleet was told to send nothing.</summary>
    public void OnBlocked(double now, double wait)
    {
        if (now + wait <= BlockedUntil)
        {
            return;
        }

        BlockedUntil = now + wait;
        (_hasTicket, _comeBack) = (false, 0);
        if (!IsAway)
        {
            Enter(LimiterMode.Blocked);
        }

        _slots.Clear();
        _returned.Clear();
        EndWaiting(w => w.Until < BlockedUntil, w => Permit.Refused(PermitRefusal.WaitTooLong, ToRetryAfter(BlockedUntil - now)));
    }

    /// <summary>The vendor said 429 to this process.</summary>
    /// <param name="isCapped">It asked for a longer wait: at the end one request is to show whether it answers again.</param>
    public void OnThrottled(double now, double wait, bool isCapped = false)
    {
        OnBlocked(now, wait);
        (_throttledFor, _isCapped) = (Math.Max(_throttledFor, wait), _isCapped || isCapped);
        (_isProbingAway, _nextProbeAway) = (isCapped || (_isProbingAway && wait <= 0), now + wait);
        Advance(now);
    }

    /// <summary>An operator ends the block: here at once, and for the fleet with the next call.</summary>
    public void OnUnblocked(double now)
    {
        _unblocks = true;
        Lift(now, 0);
        Advance(now);
    }

    /// <summary>A permit that was a probe has ended.</summary>
    public void OnProbeEnded(double now, ProbeResult result)
    {
        _probe = result;
        if (result == ProbeResult.Answered)
        {
            (_isProbingAway, _comeBack) = (false, 0);
        }

        Advance(now);
    }

    /// <summary>Another process has heard that the vendor answers again: whoever was told to come back asks now.</summary>
    public void OnProbeAnsweredElsewhere(double now)
    {
        (_comeBack, _isProbingAway) = (0, false);
        Advance(now);
    }
}
