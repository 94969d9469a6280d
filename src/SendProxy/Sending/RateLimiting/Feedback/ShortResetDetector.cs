using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Feedback;

/// <summary>
/// Whether the vendor's resets are all too short for windows of a period: under any steady load half of a window's are longer than
/// half of it. Not safe for threads.
/// </summary>
internal sealed class ShortResetDetector(TimeSpan period)
{
    private const int LeastAnswers = 20;

    private readonly Microseconds _leastTime = 2 * Microseconds.From(period);
    private Microseconds _since;
    private int _answers;

    /// <summary>None was longer in the last stretch of two periods.</summary>
    public bool Are { get; private set; }

    public void Hear(TimeSpan reset, TimeSpan blur, Microseconds now)
    {
        if (reset + blur >= period / 2)
        {
            (_answers, Are) = (0, false);
            return;
        }

        _since = _answers == 0 ? now : _since;
        _answers++;
        Are |= _answers >= LeastAnswers && now - _since >= _leastTime;
    }
}
