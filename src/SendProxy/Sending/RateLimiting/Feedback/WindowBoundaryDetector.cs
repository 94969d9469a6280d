using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Feedback;

/// <summary>A time at which one of the vendor's windows had begun, by the process's clock.</summary>
/// <param name="Latest">It can have begun earlier, by <paramref name="Width"/> at most.</param>
/// <param name="IsElsewhere">Not where it was thought to begin: what was told of it does not hold.</param>
internal readonly record struct WindowBoundary(Microseconds Latest, Microseconds Width, bool IsElsewhere);

/// <summary>
/// Finds where the vendor's fixed windows begin, from the answers to one process. Not safe for threads.
/// <list type="number">
/// <item>Between two answers, what remains rises by more than their order can explain: a window began after the send of the
/// former and before the receipt of the latter. The reset must have jumped by a window with it, where seconds can show that.</item>
/// <item>Moved on by whole windows, all of these intervals hold the same edge: what is common to them is where it lies.</item>
/// <item>It is told when several windows agree and it is narrow. One that lies elsewhere ends what was known, and asks for twice
/// as many: windows that begin with a key's first request drift away, and are never believed for long.</item>
/// </list>
/// </summary>
/// <param name="refill">Permits a second that may come back without an edge; 0 where the vendor is known to count in windows.</param>
internal sealed class WindowBoundaryDetector(TimeSpan window, int permits, double refill = 0)
{
    private const int LeastWindows = 5;
    private const int MostWindows = 640;

    // A wide boundary is safe, since permits near it count in both windows, but it costs bursts; twice this would cost half of them.
    private const double WidthShare = 0.1;
    private const double SightShare = 0.5;
    private const double LeastRise = 0.05;

    // Clocks of vendor and process run apart, and a window does not begin to the microsecond.
    private const double DriftShare = 100e-6;
    private static readonly Microseconds Slack = new(2_000);

    // Resets in seconds are rounded in either direction: with an error of a second on each side the jump must still be visible.
    private static readonly Microseconds Second = Microseconds.FromSeconds(1);
    private static readonly Microseconds JumpFrom = 4 * Second;

    private readonly Microseconds _length = Microseconds.From(window);
    private (Microseconds Sent, Microseconds Received, long Remaining, Microseconds Reset)? _last;
    private Microseconds _earliest;
    private Microseconds _latest;
    private int _windows;
    private int _needed = LeastWindows;
    private bool _isTold;

    /// <summary>An answer.</summary>
    /// <param name="rate">Permits a second of the whole fleet, and <paramref name="burst"/> at once: how much may pass between two answers.</param>
    /// <returns>Null where it says nothing new.</returns>
    public WindowBoundary? Hear(Microseconds sent, Microseconds received, long remaining, TimeSpan resetAfter, double rate, double burst)
    {
        var reset = Microseconds.From(resetAfter);
        var before = _last;
        _last = (sent, received, remaining, reset);
        if (reset > _length + Second)
        {
            // The reset belongs to another period than the plan's.
            return Lose();
        }

        if (before is not { } last)
        {
            return null;
        }

        var unordered = last.Received > sent ? ((last.Received - sent).Seconds * rate) + burst : 0;
        var refilled = refill * (received - last.Sent).Seconds;
        if (remaining - last.Remaining <= Math.Max(unordered + refilled, permits * LeastRise) || received - last.Sent > _length * SightShare)
        {
            return null;
        }

        return _length >= JumpFrom && reset - last.Reset < _length / 4 ? Lose() : See(last.Sent - Slack, received + Slack);
    }

    /// <summary>The vendor refused: whatever was known of its windows may be wrong.</summary>
    public void Forget() => (_windows, _isTold, _last) = (0, false, null);

    private WindowBoundary? See(Microseconds earliest, Microseconds latest)
    {
        if (_windows == 0)
        {
            (_earliest, _latest, _windows) = (earliest, latest, 1);
            return null;
        }

        var passed = Math.Round((earliest + latest - _earliest - _latest) / 2 / _length) * _length;
        var drift = (passed > Microseconds.Zero ? passed : Microseconds.Zero - passed) * DriftShare;
        var (low, high) = (Microseconds.Max(earliest, _earliest + passed - drift), Microseconds.Min(latest, _latest + passed + drift));
        if (low > high)
        {
            var lost = Lose();
            (_earliest, _latest, _windows) = (earliest, latest, 1);
            return lost;
        }

        (_earliest, _latest) = (low, high);
        _windows += passed > Microseconds.Zero ? 1 : 0;
        if (passed <= Microseconds.Zero || _windows < _needed || high - low > _length * WidthShare)
        {
            return null;
        }

        _isTold = true;
        return new WindowBoundary(high, high - low, false);
    }

    private WindowBoundary? Lose()
    {
        WindowBoundary? lost = _isTold ? new WindowBoundary(Microseconds.Zero, Microseconds.Zero, true) : null;
        _needed = _windows > 0 ? Math.Min(MostWindows, _needed * 2) : _needed;
        (_windows, _isTold) = (0, false);
        return lost;
    }
}
