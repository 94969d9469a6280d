using Microsoft.Extensions.ObjectPool;

namespace SendProxy.Sending.Attempts;

/// <summary>The timers of attempts, used again: a source with its timer and its registrations is half a kilobyte.</summary>
internal static class AttemptTimers
{
    // A source that does not fit into the pool is disposed of by the pool.
    private static readonly ObjectPool<CancellationTokenSource> Pool = new DefaultObjectPoolProvider { MaximumRetained = 256 }.Create(new Policy());

    public static CancellationTokenSource Rent(TimeSpan after, TimeProvider time)
    {
        if (time != TimeProvider.System)
        {
            return new CancellationTokenSource(after, time);
        }

        var timer = Pool.Get();
        timer.CancelAfter(after);
        return timer;
    }

    /// <param name="isFree">False where somebody may still cancel it: then it is stopped, and not used again.</param>
    public static void Return(CancellationTokenSource timer, bool isFree)
    {
        if (isFree)
        {
            Pool.Return(timer);
        }
        else
        {
            timer.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    private sealed class Policy : PooledObjectPolicy<CancellationTokenSource>
    {
        public override CancellationTokenSource Create() => new();

        public override bool Return(CancellationTokenSource obj) => obj.TryReset();
    }
}
