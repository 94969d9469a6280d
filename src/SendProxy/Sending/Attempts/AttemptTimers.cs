using System.Collections.Concurrent;

namespace SendProxy.Sending.Attempts;

/// <summary>The timers of attempts, used again: a source with its timer and its registrations is half a kilobyte.</summary>
internal static class AttemptTimers
{
    private const int MostKept = 256;

    private static readonly ConcurrentQueue<CancellationTokenSource> Kept = new();

    public static CancellationTokenSource Rent(TimeSpan after, TimeProvider time)
    {
        if (time != TimeProvider.System)
        {
            return new CancellationTokenSource(after, time);
        }

        if (!Kept.TryDequeue(out var timer))
        {
            timer = new CancellationTokenSource();
        }

        timer.CancelAfter(after);
        return timer;
    }

    /// <param name="isFree">False where someone may still cancel it: then it is only stopped.</param>
    public static void Return(CancellationTokenSource timer, bool isFree)
    {
        if (!isFree)
        {
            timer.CancelAfter(Timeout.InfiniteTimeSpan);
        }
        else if (Kept.Count < MostKept && timer.TryReset())
        {
            Kept.Enqueue(timer);
        }
        else
        {
            timer.Dispose();
        }
    }
}
