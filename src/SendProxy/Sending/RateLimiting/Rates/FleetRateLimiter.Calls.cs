using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <content>Each change of the machine, and what follows from it.</content>
internal sealed partial class FleetRateLimiter
{
    // Every change of the machine: what was spent goes in first, what it decides is done after.
    private void Locked(Action<Microseconds> change)
    {
        RateLimitCall? call;
        lock (Sync)
        {
            if (_disposed)
            {
                change(Now);
                Tell();
                return;
            }

            Volatile.Write(ref _upTo, long.MinValue);
            Account();
            var now = Now;
            change(now);
            Tell();
            call = _machine.TakeCall();
            while (call is not null && _store.AskNow(call) is { } reply)
            {
                _machine.OnReply(now, now, reply);
                Tell();
                call = _machine.TakeCall();
            }

            if (!_disposed)
            {
                Lend();
            }
        }

        if (call is not null)
        {
            _ = CallAsync(call);
        }
    }

    private async Task CallAsync(RateLimitCall call)
    {
        var sentAt = Now;
        var reply = await _store.AskAsync(call);
        Locked(now => _machine.OnReply(now, sentAt, reply));
    }

    // Permits taken from the loan are spent. One that is taken while the loan is being called in counts next time.
    private void Account()
    {
        var taken = Volatile.Read(ref _taken);
        if (taken != _told)
        {
            _machine.OnSpent(taken - _told);
            _granted += taken - _told;
            _told = taken;
            Volatile.Write(ref _lastGrant, Clock.Timestamp);
        }
    }

    private void Lend()
    {
        var now = Now;
        var credit = _machine.Credit(now);
        _unlent = _machine.Level - credit;
        _lentEpoch = _machine.Epoch;
        Volatile.Write(ref _readyUntil, Clock.TimestampAt(Microseconds.Min(_machine.CreditUntil, now + LongestLoan)));
        Volatile.Write(ref _upTo, credit > 0 ? _told + credit : long.MinValue);
        var rate = _machine.InForce.Rate * (_machine.Known?.Multiplier ?? 1);
        _shown = new Shown(now < _machine.BlockedUntil ? 0 : LevelNow(now), now, _told, _machine.Parameters.Base, rate,
            _machine.Known?.Active ?? 1, _machine.Waiting, _machine.BlockedUntil);
        Blocks?.Look(_machine.BlockedUntil - now);
        Series.State(_machine.Waiting, Math.Max(0, LevelNow(now)), _machine.Live, rate, _machine.IsAway);
        var wait = _machine.WakeAt - now;
        if (wait < Microseconds.Never)
        {
            WakeIn(wait);
        }
    }

    private void Tell()
    {
        foreach (var (waiter, permit) in _machine.Ended)
        {
            if (permit.IsAcquired)
            {
                _granted += permit.Cost;
                Volatile.Write(ref _lastGrant, Clock.Timestamp);
                Series.Granted(waiter.Lane, permit.Mode, permit.Cost, (Now - waiter.Since).Seconds);
                waiter.End(permit);
            }
            else
            {
                Refuse(waiter, permit);
            }
        }

        _machine.Ended.Clear();
    }
}
