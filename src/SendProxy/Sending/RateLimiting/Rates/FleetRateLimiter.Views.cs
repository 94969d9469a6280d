using System.Threading.RateLimiting;
using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <content>What it says of itself.</content>
internal sealed partial class FleetRateLimiter
{
    /// <summary>Read without the lock: it may be a moment old.</summary>
    public override (long Left, long ResetSeconds)? RateLimitHeader
    {
        get
        {
            var (shown, now) = (_shown, Now);
            if (now < shown.BlockedUntil)
            {
                return (0, (long)Math.Max(1, Math.Ceiling((shown.BlockedUntil - now).Seconds)));
            }

            // What is there now and what comes while a request may wait for it, less those that wait already.
            var there = Math.Min(shown.Base, shown.Level - (Volatile.Read(ref _taken) - shown.Taken) + ((now - shown.At).Seconds * shown.Rate));
            var (window, longest) = (Options.Rate!.Value.Per, Options.MaxWait);
            var seconds = Math.Max(1, (long)(window < longest ? window : longest).TotalSeconds);
            var coming = shown.Rate * seconds / shown.Active;
            return ((long)Math.Clamp(there + coming - shown.Waiting, 0, Options.Rate.Value.Permits), seconds);
        }
    }

    public override RateLimiterStatistics GetStatistics()
    {
        lock (Sync)
        {
            Account();
            var now = Now;
            return new RateLimiterStatistics
            {
                CurrentAvailablePermits = _machine.Waiting > 0 || now < _machine.BlockedUntil ? 0 : (long)Math.Max(0, Math.Floor(LevelNow(now))),
                CurrentQueuedCount = _machine.Waiting,
                TotalSuccessfulLeases = _granted,
                TotalFailedLeases = RefusedCount,
            };
        }
    }

    public override IEnumerable<LimitView> Views()
    {
        lock (Sync)
        {
            Account();
            var now = Now;
            var rate = _machine.InForce.Rate * (_machine.Known?.Multiplier ?? 1);
            return
            [
                new LimitView(
                    Name, Options.Plan, Mode(now), $"{rate:0.##}/s{Why(rate)}", _granted,
                    _machine.IsAway ? null : Math.Max(0, Math.Round(LevelNow(now), 1)), _machine.Waiting, _machine.Live,
                    Math.Max(0, (_machine.BlockedUntil - now).Seconds), _vendor.Limit, _vendor.Remaining, _vendor.ResetAfter?.TotalSeconds),
            ];
        }
    }

    private string Why(double rate) => _vendor.Why(_machine.Known?.Multiplier ?? 1, _machine.IsInWindow) switch
    {
        "" when rate < Options.Rate!.Value.PerSecond * 0.995 => " (less the headroom that windows need)",
        var why => why,
    };

    // The words of the column MODE. A block ends by time, whether or not the machine has looked since.
    private string Mode(Microseconds now) => _machine.Mode switch
    {
        _ when now < _machine.BlockedUntil => "blocked",
        LimiterMode.Degraded => Options.ClosedWhenAway ? "closed" : "share",
        LimiterMode.Probing => "probing",
        _ when !_store.IsShared => "local",
        LimiterMode.PostPaid => "ready",
        _ => "reserved",
    };

    private double LevelNow(Microseconds now) => _machine.Known is { } known
        ? Math.Min(_machine.Parameters.Base, _machine.Level + ((now - _machine.KnownAt).Seconds * _machine.InForce.Rate * known.Multiplier))
        : _machine.Parameters.Base;

    /// <summary>The level as it was.</summary>
    private sealed record Shown(double Level, Microseconds At, long Taken, double Base, double Rate, int Active, int Waiting, Microseconds BlockedUntil);
}
