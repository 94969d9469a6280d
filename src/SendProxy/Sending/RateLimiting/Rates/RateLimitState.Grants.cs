using static SendProxy.Sending.RateLimiting.Rates.RateLimitConstants;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <content>Steps 10 to 12: whom it gives permits, and when.</content>
internal sealed partial class RateLimitState
{
    private int GiveUrgent(double now, RateLimitCall call, double step, double tolerance)
    {
        var given = 0;
        for (var i = 0; i < call.Urgent; i++)
        {
            _share = Math.Min(UrgentShareMost, _share + ((1 - _share) * UrgentShareGrowth));
            var open = _window.Fit(now) <= now;
            if (open && _tat - tolerance <= now)
            {
                _tat = Math.Max(_tat, now) + step;
                _window.Take(now, 1);
            }
            else if (_holes.Count > 0 && _holes.Min.At < now + HoleSoon)
            {
                if (!TryReuseHole(now, out _))
                {
                    continue;
                }
            }
            else if (!open)
            {
                break;
            }
            else if (_urgent >= 1)
            {
                _urgent--;
                _window.Take(now, 1);
            }
            else
            {
                while (_overdraft.Count > 0 && _overdraft.Min.At <= now)
                {
                    _overdraft.Remove(_overdraft.Min);
                }

                if (_overdraft.Count >= call.Parameters.Reserve)
                {
                    break;
                }

                _overdraft.Add((_tat - tolerance, $"{Text(_tat - tolerance)}:{call.Process}"));
                _tat += step;
                _window.Take(now, 1);
            }

            given++;
        }

        return given;
    }

    private bool TryReuseHole(double now, out double at)
    {
        at = _holes.Min.At;
        _holes.Remove(_holes.Min);
        return _window.TryReuse(at, now);
    }

    private (List<double> Slots, double ComeBack) GiveSlots(double now, RateLimitCall call, int want, double step, double tolerance)
    {
        var slots = new List<double>();
        if (want <= 0)
        {
            return (slots, 0);
        }

        if (_block > now)
        {
            return (slots, _block - now);
        }

        if (IsProbing)
        {
            return GiveProbe(now, call, step);
        }

        var at = Math.Max(_tat, now);
        if (call.HasTicket || at - tolerance <= now || _line <= now + Horizon)
        {
            while (slots.Count < want && TrySell(now, call, step, tolerance, ref at, slots))
            {
            }

            _tat = at;
        }

        if (slots.Count > 0)
        {
            return (slots, 0);
        }

        var place = Math.Max(_line, Math.Max(at - tolerance, now)) + (step * (want - 1));
        var come = Math.Max(ComeBackLeast, place - Horizon - now);
        if (come <= call.Patience.Value)
        {
            _line = place + step;
        }

        return (slots, come);
    }

    // One slot more: a hole, or the next at its time. False where that lies beyond the horizon.
    private bool TrySell(double now, RateLimitCall call, double step, double tolerance, ref double at, List<double> slots)
    {
        if (_holes.Count > 0)
        {
            if (TryReuseHole(now, out var hole))
            {
                slots.Add(hole);
            }

            return true;
        }

        var slot = at - tolerance;
        var fits = _window.Fit(Math.Max(slot, now));
        if (fits > Math.Max(slot, now))
        {
            (slot, at) = (fits, fits + tolerance);
        }

        if (slot > now + Horizon)
        {
            return false;
        }

        slots.Add(slot);
        _window.Take(Math.Max(slot, now), 1);
        var aside = _share / (1 - _share);
        if (slot > now && _urgent + aside <= call.Parameters.Reserve)
        {
            at += step / (1 - _share);
            _urgent += aside;
        }
        else
        {
            at += step;
        }

        _share *= UrgentShareDecay;
        return true;
    }

    private (List<double> Slots, double ComeBack) GiveProbe(double now, RateLimitCall call, double step)
    {
        if (_held > now || now < _probe)
        {
            return ([], Math.Max(ComeBackLeast, Math.Max(_held, _probe) - now));
        }

        List<double> slots = [.. Enumerable.Repeat(now, Math.Max(1, call.FirstCost))];
        _tat = Math.Max(_tat, now) + (slots.Count * step);
        _window.Take(now, slots.Count);
        _probe = now + ProbeWait;
        return (slots, 0);
    }

    private int Allowance(double now, double free, int live)
    {
        if (_block > now || _held > now || IsProbing)
        {
            return 0;
        }

        var part = live <= 1 ? 1 : live <= 3 ? 0.5 : 0.25;
        var allowance = (int)Math.Floor(part * Math.Max(0, free) / live);
        return allowance < 1 && free >= 1 && live <= PermitsForOneEach * free ? 1 : allowance;
    }

    /// <summary>As a sorted set of Redis: by score, then by the bytes of the member.</summary>
    private sealed class ByScore : IComparer<(double At, string Member)>
    {
        public static readonly ByScore Instance = new();

        public int Compare((double At, string Member) x, (double At, string Member) y) =>
            x.At.CompareTo(y.At) is not 0 and var order ? order : string.CompareOrdinal(x.Member, y.Member);
    }
}
