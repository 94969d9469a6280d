namespace SendProxy.Sending.RateLimiting.Quotas;

/// <content>What it tells the store behind the sends, and what it hears.</content>
internal sealed partial class QuotaLimiter
{
    private async Task TellAsync()
    {
        CalendarPeriod period;
        QuotaCall call;
        lock (_lock)
        {
            Turn(Now);
            if (_inFlight || _store is null)
            {
                return;
            }

            // A report that may have been counted is repeated under its number; permits used since then go with the next report.
            if (_telling is null)
            {
                _telling = new QuotaCall(_period, Now, _debt, 0, 0, 0, 0, ++_number);
                _debt = 0;
            }

            // A lease above a small part of what is left is given back. When few are left, each permit is asked for.
            var part = Math.Max(0, _quota.Permits - Used) / (8 * Math.Max(1, _reply?.Live ?? 1));
            _lease = Now < _leaseUntil ? Math.Min(_lease, part < LeaseMin ? 0 : part) : 0;
            call = _telling with { Now = Now, Kept = _lease, SeenUsed = _reply?.Used ?? 0, Seen = _reply?.Number ?? 0 };
            (period, _inFlight) = (_period, true);
        }

        var kept = call.Kept;
        var reply = await _store.AskAsync(call);
        lock (_lock)
        {
            _inFlight = false;
            if (reply is not null && period == _period)
            {
                _telling = null;
                _lease = Math.Max(0, reply.Leased - (kept - _lease));
                _leaseUntil = Now + LeaseLife;
            }

            Heard(period, reply);
        }
    }

    private void Heard(CalendarPeriod period, QuotaReply? reply)
    {
        if (period != _period)
        {
            return;
        }

        if (reply is null)
        {
            if (!_isAway)
            {
                _isAway = true;
                _awayLeft = _reply is null ? _quota.Permits / _fleetSize : Math.Max(0, _quota.Permits - Used) / Math.Max(1, _reply.Live);
            }

            return;
        }

        _isAway = false;
        _clockOffset = DateTimeOffset.FromUnixTimeMilliseconds(reply.NowMs) - _time.GetUtcNow();
        _reply = reply.Number >= (_reply?.Number ?? 0) ? reply : _reply;
        Show();
        for (var i = 0; i < _quota.AlertAt.Count; i++)
        {
            if ((reply.Alerts & (1 << i)) != 0)
            {
                Log.Reached(_logger, Name, _quota.AlertAt[i], Options.Plan);
            }
        }
    }

    private void Show()
    {
        var used = (double)Used / _quota.Permits;
        _series.QuotaUsed(used);
        _series.State(0, Left, _reply?.Live ?? 1, _quota.Permits, _isAway);
        for (; _store is null && _told < _quota.AlertAt.Count && used >= _quota.AlertAt[_told]; _told++)
        {
            Log.Reached(_logger, Name, _quota.AlertAt[_told], Options.Plan);
        }
    }
}
