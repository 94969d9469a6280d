using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <content>Blocks, their end by hand, and probes.</content>
internal sealed partial class RateLimiterStateMachine
{
    /// <summary>The fleet was told to send nothing.</summary>
    public void OnBlocked(Microseconds now, Microseconds wait)
    {
        if (now + wait <= BlockedUntil)
        {
            return;
        }

        BlockedUntil = now + wait;
        (_hasTicket, _comeBack) = (false, Microseconds.Zero);
        if (!IsAway)
        {
            Enter(LimiterMode.Blocked);
        }

        _slots.Clear();
        _returned.Clear();
        EndWaiting(w => w.Until < BlockedUntil, w => Permit.Refused(PermitRefusal.WaitTooLong, (BlockedUntil - now).ToRetryAfter()));
    }

    /// <summary>The vendor said 429 to this process.</summary>
    /// <param name="isCapped">It asked for a longer wait: at the end one request is to show whether it answers again.</param>
    public void OnThrottled(Microseconds now, Microseconds wait, bool isCapped = false)
    {
        OnBlocked(now, wait);
        (_throttledFor, _isCapped) = (Longest(_throttledFor, wait), _isCapped || isCapped);
        (_isProbingAway, _nextProbeAway) = (isCapped || (_isProbingAway && wait <= Microseconds.Zero), now + wait);
        Advance(now);
    }

    /// <summary>An operator ends the block: here at once, and for the fleet with the next call.</summary>
    public void OnUnblocked(Microseconds now)
    {
        _unblocks = true;
        Lift(now, Microseconds.Zero);
        Advance(now);
    }

    /// <summary>A permit that was a probe has ended.</summary>
    public void OnProbeEnded(Microseconds now, ProbeResult result)
    {
        _probe = result;
        if (result == ProbeResult.Answered)
        {
            (_isProbingAway, _comeBack) = (false, Microseconds.Zero);
        }

        Advance(now);
    }

    /// <summary>Another process has heard that the vendor answers again: whoever was told to come back asks now.</summary>
    public void OnProbeAnsweredElsewhere(Microseconds now)
    {
        (_comeBack, _isProbingAway) = (Microseconds.Zero, false);
        Advance(now);
    }
}
