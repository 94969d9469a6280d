using System.Globalization;
using static SendProxy.Sending.RateLimiting.Rates.RateLimitConstants;
using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>
/// One limit's state, and what a call makes of it: the twin of acquire.lua, number for number. It serves a single process, and
/// the simulation. Inside it counts in plain microseconds, as the script does; what goes in and comes out has its unit. Not safe for threads.
/// </summary>
internal sealed partial class RateLimitState
{
    private const double Second = 1_000_000;
    private readonly SortedSet<(double At, string Member)> _holes = new(ByScore.Instance);
    private readonly SortedSet<(double At, string Member)> _overdraft = new(ByScore.Instance);
    private readonly Dictionary<string, double> _waiting = new(StringComparer.Ordinal);
    private readonly Dictionary<string, double> _seen = new(StringComparer.Ordinal);
    private readonly VendorWindowCounter _window = new();
    private bool _isFresh = true;
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
    private double _probe;
    private double _lifted;

    /// <summary>Time for which a store with an unknown past grants nothing.</summary>
    public double Hold { get; init; } = RateLimitConstants.Hold;

    /// <param name="clock">Larger than 0.</param>
    public RateLimitReply Run(Microseconds clock, RateLimitCall call)
    {
        // Steps are numbered as in acquire.lua. 1 a clock that goes on, 2 a rate that was cut grows, 3 the vendor's own windows
        var (now, hasJumped) = Clock(clock.Value, call);
        Grow(now);
        _window.Hear(now, call, isKnown: !hasJumped && !_isFresh && !call.WasAway && _held <= now);
        var parameters = _window.IsInForce ? call.Parameters.InWindow : call.Parameters;
        var (step, tolerance) = Step(parameters);

        // 4 an unknown past, a block and its end
        if ((_isFresh || call.WasAway) && Hold > 0 && now - _held > HoldAgainAfter)
        {
            _held = now + Hold;
            _tat = Math.Max(_tat, _held + (parameters.Base * step));
        }

        _isFresh = false;
        Block(now, call, tolerance);

        // 5 who is there
        var (live, active) = Count(now, call);

        // 6 what the vendor says it has left, 7 a 429
        Correct(now, call, parameters.Rate, step);
        Throttle(now, call);
        parameters = _window.IsInForce ? parameters : call.Parameters;
        (step, tolerance) = Step(parameters);
        if (call.ThrottledFor is not null && _block > now)
        {
            _tat = Math.Max(_tat, _block + tolerance);
            _holes.Clear();
        }

        // 8 counting in the vendor's windows, 9 what was used and what is given back
        _window.Begin(call.Parameters, step);
        if (call.Debt != 0)
        {
            _tat = Math.Max(_tat, now) + (call.Debt * step);
        }

        if (call.Debt > 0)
        {
            _window.Take(now, call.Debt);
        }

        TakeBack(now, call);

        // 10 the urgent, 11 slots
        var urgent = _block <= now && _held <= now && !IsProbing ? GiveUrgent(now, call, step, tolerance) : 0;
        var quantum = (int)Math.Max(1, Math.Floor(parameters.Rate * _multiplier * Quantum / Second / active));
        var (slots, comeBack) = GiveSlots(now, call, Math.Min(call.Want, quantum), step, tolerance);

        // 12 what may be sent before it is told, 13 the reply
        var level = parameters.Base - (Math.Max(0, _tat - now) / step);
        return Reply(now, level, live) with
        {
            Quantum = quantum,
            ComeBack = new(Math.Ceiling(comeBack)),
            Active = active,
            Urgent = urgent,
            Slots = [.. slots.Select(s => new ReservedSlot(new(Math.Max(0, Math.Ceiling(s - now))), new(Math.Ceiling(s))))],
        };
    }

    private RateLimitReply Reply(double now, double level, int live) => new()
    {
        Now = new(Math.Floor(now)),
        Tat = new(Math.Floor(_tat)),
        Level = Math.Floor(level * 1000) / 1000,
        Allowance = Allowance(now, _window.Free(now, level), live),
        Epoch = _epoch,
        Blocked = new(Math.Max(0, Math.Ceiling(_block - now))),
        Live = live,
        Held = new(Math.Max(0, Math.Ceiling(_held - now))),
        Multiplier = Math.Floor(_multiplier * 1_000_000) / 1_000_000,
        InWindow = _window.IsInForce,
        IsProbing = IsProbing,
        Lifted = new(Math.Floor(_lifted)),
    };

    // A block whose end is to be shown by one request first.
    private bool IsProbing => _probe > 0;

    private void Block(double now, RateLimitCall call, double tolerance)
    {
        // What a process saw before an operator ended the block is out of date.
        if (call.SeenNow.Value >= _lifted)
        {
            (_tat, _block) = (Math.Max(_tat, call.SeenTat.Value), Math.Max(_block, call.SeenBlock.Value));
        }

        if (_block > now + call.LongestBlock.Value)
        {
            _block = now + call.LongestBlock.Value;
            _tat = Math.Min(_tat, _block + tolerance);
        }

        if (call.Unblocks)
        {
            (_block, _probe, _lifted) = (0, 0, now);
            _tat = Math.Min(_tat, now + tolerance);
        }

        if (_block > now)
        {
            _tat = Math.Max(_tat, _block + tolerance);
        }
    }

    private (double Now, bool HasJumped) Clock(double clock, RateLimitCall call)
    {
        var (now, hasJumped) = (clock + _offset, false);
        if (call.SeenNow.Value > 0)
        {
            var least = (call.SeenNow + call.SeenSince).Value;
            hasJumped = now < least - ClockBack || now > least + ClockJump;
            if (now < least - ClockBack || now > least + ClockAhead)
            {
                _offset = _offset + least - now;
                now = least;
            }
        }

        return (now, hasJumped);
    }

    private void Grow(double now)
    {
        var last = Math.Max(_throttled, _cut);
        if (_multiplier < 1 && now - last > GrowAfter)
        {
            var (seconds, known) = (Math.Max(0, now - _grown) / Second, _ceiling * CeilingShare);
            if (_multiplier < known)
            {
                _multiplier = Math.Min(known, _multiplier + (GrowPerSecond * seconds));
            }
            else if (now - last > Peace)
            {
                _multiplier = Math.Min(1, _multiplier + (GrowInPeacePerSecond * seconds));
            }
        }

        _grown = now;
    }

    private (double Step, double Tolerance) Step(LimitParameters parameters)
    {
        var step = Second / (parameters.Rate * _multiplier);
        return (step, (parameters.Base - 1) * step);
    }

    private (int Live, int Active) Count(double now, RateLimitCall call)
    {
        _seen[call.Process] = now;
        Forget(_seen, now - SeenFor);
        Forget(_waiting, now - WaitingFor);
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

        var (off, seconds) = (call.Correction, (now - _corrected) / Second);
        (_corrected, _epoch) = (now, _epoch + 1);
        if (off > 0)
        {
            _tat = Math.Max(_tat, now) + (off * step);
            if (seconds < CorrectionTogetherSeconds)
            {
                _multiplier = Math.Max(MultiplierLeast, _multiplier * (1 - Math.Min(CorrectionMost, off / (rate * Math.Max(1, seconds)))));
                (_cut, _ceiling) = (now, _multiplier / CeilingShare);
            }
        }
        else if (_multiplier < 1)
        {
            _multiplier = Math.Min(1, _multiplier + Math.Min(RaisePerSecond * Math.Min(1, seconds), RaiseShare * -off / (rate * Math.Max(RaiseLeastSeconds, seconds))));
        }
    }

    private void Throttle(double now, RateLimitCall call)
    {
        if (call.ThrottledFor is not { Value: var throttledFor })
        {
            EndProbe(now, call.Probe);
            return;
        }

        (_throttled, _epoch) = (now, _epoch + 1);
        _window.Refuse(now);
        if (call.Learns && now - _cut > CutTogether)
        {
            (_cut, _ceiling, _multiplier) = (now, _multiplier, Math.Max(MultiplierLeast, _multiplier * Cut));
        }

        _block = Math.Max(_block, now + throttledFor);
        _probe = call.IsCapped ? _block
            : _probe > 0 && throttledFor == 0 ? now + ProbeWait
            : 0;
    }

    private void EndProbe(double now, ProbeResult result)
    {
        if (_block > now)
        {
            return;
        }

        if (_probe > 0 && result == ProbeResult.Answered)
        {
            _probe = 0;
        }
        else if (_probe > now && result == ProbeResult.NotSent)
        {
            _probe = now;
        }
    }

    private void TakeBack(double now, RateLimitCall call)
    {
        for (var i = 0; i < call.Returned.Count; i++)
        {
            var at = call.Returned[i].Value;
            _holes.Add((at, $"{Text(at)}:{call.Process}:{i + RedisRateLimitStore.FirstReturned}"));
        }

        while (_holes.Count > 0 && _holes.Min.At <= now - Horizon)
        {
            _holes.Remove(_holes.Min);
        }
    }

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
