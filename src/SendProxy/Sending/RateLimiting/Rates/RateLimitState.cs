using System.Globalization;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>
/// One limit's state, and what a call makes of it: the twin of acquire.lua, number for number. It serves a single process, and
/// the simulation. Not safe for threads.
/// </summary>
internal sealed class RateLimitState
{
    private readonly SortedSet<(double At, string Member)> _holes = new(ByScore.Instance);
    private readonly SortedSet<(double At, string Member)> _overdraft = new(ByScore.Instance);
    private readonly Dictionary<string, double> _waiting = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _seen = new(StringComparer.Ordinal);
    private readonly FixedWindowCounter _window = new();
    private bool _fresh = true;
    private double _tat;
    private double _line;
    private double _urgent;
    private double _share;
    private double _multiplier = 1;
    private double _ceiling = 1;
    private double _cut;
    private double _throttled;
    private double _block;
    private long _epoch;
    private double _corrected;
    private double _held;
    private double _grown;
    private double _offset;

    /// <summary>Time for which a store with an unknown past grants nothing.</summary>
    public double Hold { get; init; } = RateLimitConstants.Hold;

    /// <param name="clock">Microseconds; larger than 0.</param>
    public RateLimitReply Run(double clock, RateLimitCall call)
    {
        // 1 to 4: see acquire.lua, whose numbers these are.
        var (now, jumped) = Clock(clock, call);
        Grow(now);
        _window.Hear(now, call, isKnown: !jumped && !_fresh && !call.WasAway && _held <= now);
        var shape = _window.IsInForce ? call.Shape.InWindow : call.Shape;
        var (step, tolerance) = Step(shape);
        if ((_fresh || call.WasAway) && Hold > 0 && now - _held > 2_000_000)
        {
            _held = now + Hold;
            _tat = Math.Max(_tat, _held + (shape.Base * step));
        }

        _fresh = false;
        (_tat, _block) = (Math.Max(_tat, call.SeenTat), Math.Max(_block, call.SeenBlock));
        if (_block > now)
        {
            _tat = Math.Max(_tat, _block + tolerance);
        }

        // 5
        var (live, active) = Count(now, call);

        // 6, 7
        Correct(now, call, shape.Rate, step);
        Throttle(now, call);
        shape = _window.IsInForce ? shape : call.Shape;
        (step, tolerance) = Step(shape);
        if (call.Throttled >= 0 && _block > now)
        {
            _tat = Math.Max(_tat, _block + tolerance);
            _holes.Clear();
        }

        // 8, 9
        _window.Begin(call.Shape, step);
        if (call.Debt != 0)
        {
            _tat = Math.Max(_tat, now) + (call.Debt * step);
        }

        if (call.Debt > 0)
        {
            _window.Take(now, call.Debt);
        }

        TakeBack(now, call);

        // 10, 11
        var urgent = _block <= now && _held <= now ? GiveUrgent(now, call, step, tolerance) : 0;
        var quantum = (int)Math.Max(1, Math.Floor(shape.Rate * _multiplier * RateLimitConstants.Quantum / 1_000_000 / active));
        var (slots, come) = GiveSlots(now, call, Math.Min(call.Want, quantum), step, tolerance);

        // 12
        var level = shape.Base - (Math.Max(0, _tat - now) / step);
        return new RateLimitReply(
            Math.Floor(now), Math.Floor(_tat), Math.Floor(level * 1000) / 1000, Allowance(now, _window.Free(now, level), live), quantum, _epoch, Math.Ceiling(come),
            Math.Max(0, Math.Ceiling(_block - now)), live, active, Math.Max(0, Math.Ceiling(_held - now)), urgent,
            Math.Floor(_multiplier * 1_000_000) / 1_000_000,
            [.. slots.Select(s => new ReservedSlot(Math.Max(0, Math.Ceiling(s - now)), Math.Ceiling(s)))])
        {
            InWindow = _window.IsInForce,
        };
    }

    private (double Now, bool Jumped) Clock(double clock, RateLimitCall call)
    {
        var (now, jumped) = (clock + _offset, false);
        if (call.SeenNow > 0)
        {
            var least = call.SeenNow + call.SeenSince;
            jumped = now < least - 10_000 || now > least + 60_000;
            if (now < least - 10_000 || now > least + 1_000_000)
            {
                _offset = _offset + least - now;
                now = least;
            }
        }

        return (now, jumped);
    }

    private void Grow(double now)
    {
        var last = Math.Max(_throttled, _cut);
        if (_multiplier < 1 && now - last > 1_000_000)
        {
            var (seconds, known) = (Math.Max(0, now - _grown) / 1_000_000, _ceiling * 0.97);
            if (_multiplier < known)
            {
                _multiplier = Math.Min(known, _multiplier + (0.04 * seconds));
            }
            else if (now - last > 30_000_000)
            {
                _multiplier = Math.Min(1, _multiplier + (0.01 * seconds));
            }
        }

        _grown = now;
    }

    private (double Step, double Tolerance) Step(LimitParameters shape)
    {
        var step = 1_000_000 / (shape.Rate * _multiplier);
        return (step, (shape.Base - 1) * step);
    }

    private (int Live, int Active) Count(double now, RateLimitCall call)
    {
        _seen[call.Process] = now;
        Forget(_seen, now - 3_000_000);
        Forget(_waiting, now - 1_000_000);
        if (call.SomeoneWaits)
        {
            _waiting[call.Process] = now;
        }
        else
        {
            _waiting.Remove(call.Process);
        }

        return (Math.Max(_seen.Count, call.KnownLive), Math.Max(1, _waiting.Count));
    }

    private static void Forget(Dictionary<string, double> processes, double before)
    {
        // Removing while enumerating is allowed, and the single process of a local book is never gone.
        foreach (var (process, at) in processes)
        {
            if (at <= before)
            {
                processes.Remove(process);
            }
        }
    }

    private void Correct(double now, RateLimitCall call, double rate, double step)
    {
        if (call.Correction == 0 || call.CorrectionEpoch != _epoch)
        {
            return;
        }

        var (off, seconds) = (call.Correction, (now - _corrected) / 1_000_000);
        (_corrected, _epoch) = (now, _epoch + 1);
        if (off > 0)
        {
            _tat = Math.Max(_tat, now) + (off * step);
            if (seconds < 3)
            {
                _multiplier = Math.Max(0.05, _multiplier * (1 - Math.Min(0.15, off / (rate * Math.Max(1, seconds)))));
                (_cut, _ceiling) = (now, _multiplier / 0.97);
            }
        }
        else if (_multiplier < 1)
        {
            _multiplier = Math.Min(1, _multiplier + Math.Min(0.05 * Math.Min(1, seconds), 0.5 * -off / (rate * Math.Max(0.5, seconds))));
        }
    }

    private void Throttle(double now, RateLimitCall call)
    {
        if (call.Throttled < 0)
        {
            return;
        }

        (_throttled, _epoch) = (now, _epoch + 1);
        _window.Refuse(now);
        if (call.Learns && now - _cut > 500_000)
        {
            (_cut, _ceiling, _multiplier) = (now, _multiplier, Math.Max(0.05, _multiplier * 0.9));
        }

        _block = Math.Max(_block, now + call.Throttled);
    }

    private void TakeBack(double now, RateLimitCall call)
    {
        for (var i = 0; i < call.Returned.Count; i++)
        {
            var at = Text(call.Returned[i]);
            _holes.Add((call.Returned[i], $"{at}:{call.Process}:{i + RedisRateLimitStore.FirstReturned}"));
        }

        while (_holes.Count > 0 && _holes.Min.At <= now - RateLimitConstants.Horizon)
        {
            _holes.Remove(_holes.Min);
        }
    }

    private int GiveUrgent(double now, RateLimitCall call, double step, double tolerance)
    {
        var given = 0;
        for (var i = 0; i < call.Urgent; i++)
        {
            _share = Math.Min(0.5, _share + ((1 - _share) * 0.01));
            var open = _window.Fit(now) <= now;
            if (open && _tat - tolerance <= now)
            {
                _tat = Math.Max(_tat, now) + step;
                _window.Take(now, 1);
            }
            else if (_holes.Count > 0 && _holes.Min.At < now + 5_000)
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

                if (_overdraft.Count >= call.Shape.Reserve)
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

        var at = Math.Max(_tat, now);
        if (call.HasTicket || at - tolerance <= now || _line <= now + RateLimitConstants.Horizon)
        {
            while (slots.Count < want)
            {
                if (_holes.Count > 0)
                {
                    if (TryReuseHole(now, out var hole))
                    {
                        slots.Add(hole);
                    }

                    continue;
                }

                var slot = at - tolerance;
                var fits = _window.Fit(Math.Max(slot, now));
                if (fits > Math.Max(slot, now))
                {
                    (slot, at) = (fits, fits + tolerance);
                }

                if (slot > now + RateLimitConstants.Horizon)
                {
                    break;
                }

                slots.Add(slot);
                _window.Take(Math.Max(slot, now), 1);
                var aside = _share / (1 - _share);
                if (slot > now && _urgent + aside <= call.Shape.Reserve)
                {
                    at += step / (1 - _share);
                    _urgent += aside;
                }
                else
                {
                    at += step;
                }

                _share *= 0.99;
            }

            _tat = at;
        }

        if (slots.Count > 0)
        {
            return (slots, 0);
        }

        var place = Math.Max(_line, Math.Max(at - tolerance, now)) + (step * (want - 1));
        var come = Math.Max(1_000, place - RateLimitConstants.Horizon - now);
        if (come <= call.Patience)
        {
            _line = place + step;
        }

        return (slots, come);
    }

    private int Allowance(double now, double free, int live)
    {
        if (_block > now || _held > now)
        {
            return 0;
        }

        var part = live <= 1 ? 1 : live <= 3 ? 0.5 : 0.25;
        var allowance = (int)Math.Floor(part * Math.Max(0, free) / live);
        return allowance < 1 && free >= 1 && live <= 4 * free ? 1 : allowance;
    }

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>As a sorted set of Redis: by score, then by the bytes of the member.</summary>
    private sealed class ByScore : IComparer<(double At, string Member)>
    {
        public static readonly ByScore Instance = new();

        public int Compare((double At, string Member) x, (double At, string Member) y) =>
            x.At.CompareTo(y.At) is not 0 and var order ? order : string.CompareOrdinal(x.Member, y.Member);
    }
}
