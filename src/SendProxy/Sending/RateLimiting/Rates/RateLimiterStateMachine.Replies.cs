using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <content>What a reply of the store changes.</content>
internal sealed partial class RateLimiterStateMachine
{
    /// <param name="sentAt">When the call was taken.</param>
    /// <param name="reply">Null: it was not answered in time.</param>
    public void OnReply(Microseconds now, Microseconds sentAt, RateLimitReply? reply)
    {
        (_inFlight, _debtInFlight, _answeredCalls) = (false, 0, _calls);
        if (reply is null)
        {
            RememberNews(now);
            GoAway(now, probe: true);
            Advance(now);
            return;
        }

        if (now - sentAt > ReplyLife)
        {
            // This process stood still meanwhile: its slots are out of date, and other processes may have been given the same time.
            reply = reply with { Slots = [], Urgent = 0, Allowance = 0 };
        }

        _share.Heard(now, reply);
        (_reply, _replyAt, _validUntil) = (reply, now, sentAt + AllowanceLife);
        if (reply.Lifted > _lifted)
        {
            _lifted = reply.Lifted;
            Lift(now, reply.Blocked);
        }

        if (reply.Blocked > Microseconds.Zero)
        {
            OnBlocked(now, reply.Blocked);
        }

        if (reply.Held > Microseconds.Zero && _isShared)
        {
            GoAway(now, probe: false);
            _share.Rejoin(now + reply.Held);
            Advance(now);
            return;
        }

        if (IsAway)
        {
            _share.Rejoin(now);
            TryRejoin(now);
        }

        if (Mode == LimiterMode.Blocked && now >= BlockedUntil)
        {
            Enter(LimiterMode.Reserving);
        }

        TakeUrgent(now, reply);
        TakeSlots(now, reply);
        if (now >= BlockedUntil)
        {
            Enter(reply.IsProbing ? LimiterMode.Probing : StaysPostPaid(now, reply) ? LimiterMode.PostPaid : LimiterMode.Reserving);
        }

        Advance(now);
    }

    // The store may not have received this, so that it is reported again.
    private void RememberNews(Microseconds now)
    {
        if (_made is not { } made)
        {
            return;
        }

        _unblocks |= made.Unblocks;
        _probe = _probe == ProbeResult.None ? made.Probe : _probe;
        if (made.ThrottledFor is not null && BlockedUntil > now)
        {
            (_throttledFor, _isCapped) = (Longest(_throttledFor, BlockedUntil - now), _isCapped || made.IsCapped);
        }
    }

    private static Microseconds Longest(Microseconds? one, Microseconds other) => one is { } known ? Microseconds.Max(known, other) : other;

    private void Lift(Microseconds now, Microseconds blocked)
    {
        BlockedUntil = Microseconds.Min(BlockedUntil, now + blocked);
        (_throttledFor, _isCapped, _comeBack, _isProbingAway) = (null, false, Microseconds.Zero, false);
    }

    private bool StaysPostPaid(Microseconds now, RateLimitReply reply)
    {
        if (reply.Allowance < 1 || _slots.Any(s => s.Due > now) || now < BlockedUntil)
        {
            return false;
        }

        // A process that is alone knows the exact level: nothing needs to be kept back for others who spend at the same time.
        return reply.Live <= 1 || reply.Level >= Parameters.Base * (IsPostPaid ? PostPaidUntil : PostPaidFrom);
    }

    private void TakeUrgent(Microseconds now, RateLimitReply reply)
    {
        var given = reply.Urgent;
        if (given > 0)
        {
            _urgentDenied = Microseconds.Zero;
        }

        while (given > 0 && now >= BlockedUntil && _line.TakeUrgent() is { } waiter)
        {
            waiter.Collected++;
            given--;
            if (waiter.Missing == 0)
            {
                End(waiter, Permit.Granted(PermitMode.Reserved, waiter.Cost));
            }
            else
            {
                _line.Add(waiter);
            }
        }

        for (; given > 0; given--)
        {
            _returned.Add(reply.Now);
        }
    }

    private void TakeSlots(Microseconds now, RateLimitReply reply)
    {
        if (reply.ComeBack > Microseconds.Zero)
        {
            (_comeBack, _hasTicket) = (now + reply.ComeBack, true);
            EndWaiting(w => w.Until < _comeBack && !w.Lane.IsUrgent, w => Permit.Refused(PermitRefusal.WaitTooLong, Predict(now, w.Lane, w.Cost).ToRetryAfter()));
            if (now + reply.ComeBack > _lastUntil)
            {
                // The store kept no place for this process, so that later requests ask again.
                (_comeBack, _hasTicket) = (Waiting > 0 ? _comeBack : Microseconds.Zero, false);
            }
        }

        if (now < BlockedUntil)
        {
            return;
        }

        var left = reply.Slots.Count;
        foreach (var slot in reply.Slots)
        {
            left--;
            _slots.Enqueue((now + slot.Delay, slot.At, slot.Delay <= Microseconds.Zero ? Math.Max(0, reply.Level + left) : 0));
        }

        // Slots that other processes gave back may be earlier than slots that are held already.
        if (_slots.Count > reply.Slots.Count && reply.Slots.Count > 0)
        {
            var ordered = _slots.OrderBy(s => s.Due).ToArray();
            _slots.Clear();
            Array.ForEach(ordered, _slots.Enqueue);
        }
    }
}
