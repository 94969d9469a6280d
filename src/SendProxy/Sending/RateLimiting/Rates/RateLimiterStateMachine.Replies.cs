namespace SendProxy.Sending.RateLimiting.Rates;

/// <content>What a reply of the store changes.</content>
internal sealed partial class RateLimiterStateMachine
{
    /// <param name="sentAt">When the call was taken.</param>
    /// <param name="reply">Null: it was not answered in time.</param>
    public void OnReply(double now, double sentAt, RateLimitReply? reply)
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
            // This process stood still meanwhile: what it was given is as old as it, and others were given the same time since.
            reply = reply with { Slots = [], Urgent = 0, Allowance = 0 };
        }

        _share.Heard(now, reply);
        (_reply, _replyAt, _validUntil) = (reply, now, sentAt + AllowanceLife);
        if (reply.Lifted > _lifted)
        {
            _lifted = reply.Lifted;
            Lift(now, reply.Blocked);
        }

        if (reply.Blocked > 0)
        {
            OnBlocked(now, reply.Blocked);
        }

        if (reply.Held > 0 && _isShared)
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

    // What the store may not have heard is told again.
    private void RememberNews(double now)
    {
        if (_made is not { } made)
        {
            return;
        }

        _unblocks |= made.Unblocks;
        _probe = _probe == ProbeResult.None ? made.Probe : _probe;
        if (made.ThrottledFor >= 0 && BlockedUntil > now)
        {
            (_throttledFor, _isCapped) = (Math.Max(_throttledFor, BlockedUntil - now), _isCapped || made.IsCapped);
        }
    }

    private void Lift(double now, double blocked)
    {
        BlockedUntil = Math.Min(BlockedUntil, now + blocked);
        (_throttledFor, _isCapped, _comeBack, _isProbingAway) = (-1, false, 0, false);
    }

    private bool StaysPostPaid(double now, RateLimitReply reply)
    {
        if (reply.Allowance < 1 || _slots.Any(s => s.Due > now) || now < BlockedUntil)
        {
            return false;
        }

        // Alone, its own level is the whole truth: no part of it has to be kept from others who spend at the same time.
        return reply.Live <= 1 || reply.Level >= Parameters.Base * (IsPostPaid ? PostPaidUntil : PostPaidFrom);
    }

    private void TakeUrgent(double now, RateLimitReply reply)
    {
        var given = reply.Urgent;
        if (given > 0)
        {
            _urgentDenied = 0;
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

    private void TakeSlots(double now, RateLimitReply reply)
    {
        if (reply.ComeBack > 0)
        {
            (_comeBack, _hasTicket) = (now + reply.ComeBack, true);
            EndWaiting(w => w.Until < _comeBack && !w.Lane.IsUrgent, w => Permit.Refused(PermitRefusal.WaitTooLong, ToRetryAfter(Predict(now, w.Lane, w.Cost))));
            if (now + reply.ComeBack > _lastUntil)
            {
                // No place was taken: whoever comes later asks anew.
                (_comeBack, _hasTicket) = (Waiting > 0 ? _comeBack : 0, false);
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
            _slots.Enqueue((now + slot.Delay, slot.At, slot.Delay <= 0 ? Math.Max(0, reply.Level + left) : 0));
        }

        // Holes of others may lie before slots that are held already.
        if (_slots.Count > reply.Slots.Count && reply.Slots.Count > 0)
        {
            var ordered = _slots.OrderBy(s => s.Due).ToArray();
            _slots.Clear();
            Array.ForEach(ordered, _slots.Enqueue);
        }
    }
}
