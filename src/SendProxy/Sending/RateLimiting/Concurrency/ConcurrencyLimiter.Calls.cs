using SendProxy.Sending.RateLimiting.Clocks;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Sending.RateLimiting.Concurrency;

/// <content>Each change, and what follows from it: who goes, who is late, what to ask, when to look again.</content>
internal sealed partial class ConcurrencyLimiter
{
    // Asking takes time too: whoever may not wait for a slot waits until it is known whether there is one.
    private bool CanAsk(Microseconds now) => _store.IsShared && !_lease.IsAway && now >= _lease.BlockedUntil && !_lease.OthersAreShort;

    private bool AwaitsFirstAnswer(Waiter waiter, Microseconds now) =>
        CanAsk(now) && waiter.FirstCall > _lease.Calls.Ended && now < waiter.Until + FirstAnswerWait;

    private void Locked(Action<Microseconds> change)
    {
        (ConcurrencyCall Call, Microseconds At)? call;
        lock (Sync)
        {
            var now = Now;
            change(now);
            call = Settle(now);
        }

        Send(call);
    }

    // What follows from each change: who goes, who is late, what to ask, when to look again.
    private (ConcurrencyCall Call, Microseconds At)? Settle(Microseconds now)
    {
        if (_disposed)
        {
            return null;
        }

        Serve(now);
        var call = _lease.NextCall(now, Missing);
        while (call is not null && _store.AskNow(call) is { } reply)
        {
            _lease.Replied(now, now, call, reply);
            Serve(now);
            call = _lease.NextCall(now, Missing);
        }

        if (now >= _nextLate)
        {
            EndWaiting(w => w.Until <= now && !AwaitsFirstAnswer(w, now), w => Permit.Refused(PermitRefusal.WaitTooLong, Predict(now, w.Lane, w.Cost).ToRetryAfter()));
            _nextLate = Waiting == 0 ? Microseconds.Never
                : Microseconds.Max(now + LookAgain, Microseconds.Min(_first?.Until ?? Microseconds.Never, _line.NextUntil));
        }

        Blocks?.Look(_lease.BlockedUntil - now);
        Series.State(Waiting, _lease.Free(now), _lease.Live, _lease.Bound, _lease.IsAway);
        Arm(now);
        return call is null ? null : (call, now);
    }

    private void Serve(Microseconds now)
    {
        if (_lease.IsAway && Options.ClosedWhenAway)
        {
            EndWaiting(_ => true, _ => Permit.Refused(PermitRefusal.Closed, TimeSpan.FromSeconds(1)));
        }

        while (Waiting > 0 && _lease.Free(now) is > 0 and var free)
        {
            _first ??= _line.Take(now)!;
            var cost = Math.Min(_first.Cost, _lease.Bound);
            if (free < cost)
            {
                return;
            }

            var (waiter, permit) = (_first, Grant(now, cost));
            _first = null;
            Series.Granted(waiter.Lane, permit.Mode, cost, (now - waiter.Since).Seconds);
            waiter.End(permit);
        }
    }

    private void Arm(Microseconds now)
    {
        var at = Microseconds.Min(_nextLate, _lease.LookAt(now, Missing));
        if (at < _armedFor)
        {
            _armedFor = at;
            WakeIn(at - now);
        }
    }

    private void Send((ConcurrencyCall Call, Microseconds At)? call)
    {
        if (call is { } request)
        {
            _ = CallAsync(request.Call, request.At);
        }
    }

    private async Task CallAsync(ConcurrencyCall call, Microseconds sentAt)
    {
        var reply = await _store.AskAsync(call);
        Locked(now => _lease.Replied(now, sentAt, call, reply));
    }

    private void EndWaiting(Func<Waiter, bool> which, Func<Waiter, Permit> answer)
    {
        List<Waiter> ended = [.. _line.RemoveAll(which)];
        if (_first is { } first && which(first))
        {
            _first = null;
            ended.Add(first);
        }

        ended.ForEach(w => Refuse(w, answer(w)));
    }
}
