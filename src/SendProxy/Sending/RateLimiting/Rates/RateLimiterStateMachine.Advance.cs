using SendProxy.Sending.RateLimiting.Clocks;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <content>What follows from its state: whom to let go, what to ask, when to look again.</content>
internal sealed partial class RateLimiterStateMachine
{
    /// <summary>Lets go whom it may, and decides what comes next.</summary>
    public void Advance(Microseconds now)
    {
        WakeAt = Microseconds.Never;
        if (IsAway && !TryRejoin(now))
        {
            AdvanceDegraded(now);
            EndLate(now);
            return;
        }

        if (now < BlockedUntil)
        {
            EndLate(now);
            Wake(Microseconds.Min(BlockedUntil, _lastCall + LookInBlockEvery));
            AskIf(_debt != 0 || HasNews || (_isShared && now - _lastCall >= LookInBlockEvery), now, 0, 0);
            return;
        }

        if (Mode == LimiterMode.Blocked)
        {
            Enter(LimiterMode.Reserving);
        }

        // Requests that have waited for too long are refused only after others were served: a reply may have brought their permit.
        UseSlots(now);
        if (IsPostPaid && now < _validUntil && AdvancePostPaid(now))
        {
            EndLate(now);
            return;
        }

        if (IsPostPaid)
        {
            Enter(LimiterMode.Reserving);
        }

        EndLate(now);
        AdvanceReserving(now);
    }

    // The store is back and can be used.
    private bool TryRejoin(Microseconds now)
    {
        if (!_share.TryRejoin(now))
        {
            return false;
        }

        Enter(now < BlockedUntil ? LimiterMode.Blocked : LimiterMode.Reserving);
        return true;
    }

    private void UseSlots(Microseconds now)
    {
        while (_slots.TryPeek(out var slot) && slot.Due <= now)
        {
            if (slot.Due < now - new Microseconds(RateLimitConstants.Horizon))
            {
                // This process stood still, and other processes have used the vendor's bucket since.
                _slots.Dequeue();
                continue;
            }

            var waiter = _filling ?? _line.Take(now);
            if (waiter is null)
            {
                return;
            }

            _slots.Dequeue();
            waiter.Collected++;
            _filling = waiter.Missing > 0 ? waiter : null;
            if (_filling is null)
            {
                End(waiter, Permit.Granted(_isShared ? PermitMode.Reserved : PermitMode.Local, waiter.Cost, slot.Level, Epoch) with { IsProbe = _reply is { IsProbing: true } });
            }
        }
    }

    /// <returns>False where it cannot go on so.</returns>
    private bool AdvancePostPaid(Microseconds now)
    {
        // Slots that were not used are kept: they are permits that the store has counted already.
        _debt -= _slots.Count;
        _slots.Clear();
        while (Waiting > 0)
        {
            var waiter = _filling ?? _line.Take(now)!;
            _filling = waiter;
            var left = _reply!.Allowance - _debt - _debtInFlight;
            if (left < waiter.Missing)
            {
                break;
            }

            _debt += waiter.Missing;
            _filling = null;
            End(waiter, Permit.Granted(_isShared ? PermitMode.Ready : PermitMode.Local, waiter.Cost, Level, Epoch));
        }

        if (Waiting > 0 && _debt <= 0 && !_inFlight)
        {
            return false;
        }

        var due = Waiting > 0 || Credit(now) < 1 || now - _lastCall >= FlushEvery || HasNews;
        AskIf((_debt != 0 || HasNews) && due, now, 0, 0);
        if (_debt != 0 && !due)
        {
            Wake(_lastCall + FlushEvery);
        }

        return true;
    }

    private void AdvanceReserving(Microseconds now)
    {
        if (Waiting == 0)
        {
            _returned.AddRange(_slots.Select(s => s.At));
            _slots.Clear();
        }

        var urgent = _line.Urgent > 0 && Parameters.Reserve > 0 && now >= _urgentDenied && (_slots.Count > 0 || _comeBack > now)
            ? (int)Math.Min(_line.Urgent, Parameters.Reserve)
            : 0;
        var missing = _line.Permits + (_filling?.Missing ?? 0) - _slots.Count;
        var need = missing > 0 && _slots.Count <= (_reply?.Quantum ?? 0) / 2;
        if (need && _comeBack > now)
        {
            need = false;
            Wake(_comeBack);
        }

        if (urgent > 0 && !_inFlight)
        {
            _urgentDenied = now + UrgentAgain;
        }
        else if (_line.Urgent > 0 && _urgentDenied > now)
        {
            Wake(_urgentDenied);
        }

        AskIf(need || urgent > 0 || _debt != 0 || HasNews || _returned.Count > 0, now, need ? missing : 0, urgent);
        if (_slots.TryPeek(out var next))
        {
            Wake(next.Due);
        }
    }

    private void AdvanceDegraded(Microseconds now)
    {
        while (now >= BlockedUntil && Waiting > 0)
        {
            var waiter = _filling ?? _line.Take(now)!;
            _filling = waiter;
            if (_isProbingAway && now < _nextProbeAway)
            {
                Wake(_nextProbeAway);
                break;
            }

            if (!_share.TryTake(now, Parameters, waiter.Missing))
            {
                Wake(_share.NextAt(Parameters, waiter.Missing));
                break;
            }

            _filling = null;
            End(waiter, Permit.Granted(PermitMode.Share, waiter.Cost) with { IsProbe = _isProbingAway });
            _nextProbeAway = now + new Microseconds(RateLimitConstants.ProbeWait);
        }

        if (now < BlockedUntil)
        {
            Wake(BlockedUntil);
        }

        if (_share.ProbeDue(now) && !_inFlight)
        {
            _share.Probed(now);
            AskIf(true, now, 0, 0);
        }

        Wake(_share.LookAt);
    }

    private void GoAway(Microseconds now, bool probe)
    {
        if (probe || !IsAway)
        {
            _share.Start(now, Parameters, Level, probe);
        }

        Enter(LimiterMode.Degraded);
        (_hasTicket, _comeBack, _debt) = (false, Microseconds.Zero, 0);
        _slots.Clear();
        _returned.Clear();
        _validUntil = Microseconds.LongAgo;
        if (IsClosedWhenAway)
        {
            EndWaiting(_ => true, _ => Permit.Refused(PermitRefusal.Closed, TimeSpan.FromSeconds(1)));
        }
    }

    // What the fleet is to hear soon.
    private bool HasNews => _throttledFor is not null || _unblocks || _probe != ProbeResult.None;

    private void AskIf(bool needed, Microseconds now, int want, int urgent)
    {
        if (!needed || _inFlight)
        {
            return;
        }

        var seenBlock = BlockedUntil > now && _reply is not null ? (_reply.Now + (BlockedUntil - _replyAt)).Floor() : Microseconds.Zero;
        Call = _made = new RateLimitCall
        {
            Process = _process,
            Parameters = Parameters,
            Want = want,
            FirstCost = _filling?.Missing ?? _line.NextMissing,
            SomeoneWaits = Waiting > 0 && !IsPostPaid,
            Patience = Microseconds.Max(Microseconds.Zero, (_lastUntil - now).Floor()),
            HasTicket = _hasTicket && want > 0,
            Urgent = urgent,
            Debt = _debt,
            Correction = _correction.Permits,
            CorrectionEpoch = _correction.Epoch,
            ThrottledFor = _throttledFor is { } wait ? Microseconds.Max(Microseconds.Zero, Microseconds.Min(wait, BlockedUntil - now)) : null,
            IsCapped = _isCapped,
            LongestBlock = LongestBlock,
            Probe = _probe,
            Unblocks = _unblocks,
            WasAway = IsAway,
            SeenNow = _reply?.Now ?? Microseconds.Zero,
            SeenSince = _reply is null ? Microseconds.Zero : (now - _replyAt).Floor(),
            SeenTat = _reply?.Tat ?? Microseconds.Zero,
            SeenBlock = seenBlock,
            KnownLive = _share.KnownLive(now),
            Learns = Learns,
            Boundary = BoundaryToTell(),
            BoundaryWidth = ((_edge?.Width ?? Microseconds.Zero) + FlushEvery).Ceiling(),
            Returned = [.. _returned],
        };
        _hasTicket &= want == 0;
        (_inFlight, _lastCall, _debtInFlight, _debt, _correction) = (true, now, _debt, 0, default);
        (_throttledFor, _isCapped, _probe, _unblocks) = (null, false, ProbeResult.None, false);
        _calls++;
        _returned.Clear();
        _edge = null;
    }

    // In the store's time. Permits are reported afterwards: those from before the boundary are counted until this much after it.
    private Microseconds BoundaryToTell() => _edge is not { } edge || _reply is null ? Microseconds.Zero
        : edge.IsElsewhere ? RateLimitCall.BoundaryElsewhere
        : (_reply.Now + (edge.Latest - _replyAt) + FlushEvery).Floor();

    // Asking takes time too: whoever may not wait for a permit waits until it is known whether there is one.
    private bool AwaitsFirstAnswer(Waiter waiter, Microseconds now) =>
        _isShared && !IsAway && waiter.FirstCall > _answeredCalls && now < waiter.Until + FirstAnswerWait;

    private void EndLate(Microseconds now)
    {
        if (now < _nextScan)
        {
            Wake(_nextScan);
            return;
        }

        EndWaiting(w => w.Until < now && !AwaitsFirstAnswer(w, now), w => Permit.Refused(PermitRefusal.WaitTooLong, Predict(now, w.Lane, w.Cost).ToRetryAfter()));
        _nextScan = now + UrgentAgain;
        if (Waiting == 0)
        {
            _nextScan = Microseconds.Never;
        }
        else
        {
            Wake(_nextScan);
        }
    }
}
