using System.Collections.Concurrent;
using SendProxy.Sending.Attempts;

namespace SendProxy.Sending;

/// <summary>
/// Finishes attempts whose caller left after they were begun: a vendor that is cut off in the middle may have acted, and
/// nobody would know. Bounded by the attempts' own timeouts and by <c>process.maxInFlight</c>; awaited when the process ends.
/// </summary>
internal sealed class DetachedAttemptTracker(SendingMetrics metrics)
{
    private readonly ConcurrentDictionary<Task, byte> _running = new();

    /// <param name="ended">Called once: with the result, whose response is disposed of afterwards; with null where a defect ended the attempt.</param>
    public void Adopt(Task<AttemptResult> attempt, string upstream, Func<AttemptResult?, Task> ended)
    {
        metrics.Settling(1);
        Track(SettleAsync(attempt, upstream, ended));
    }

    /// <summary>Keeps a task that nobody waits for until the process ends; then it is awaited.</summary>
    public void Track(Task settling)
    {
        _running.TryAdd(settling, 0);
        _ = settling.ContinueWith(t => _running.TryRemove(t, out _), TaskScheduler.Default);
    }

    /// <summary>Waits for all that still run, but not longer than the token allows.</summary>
    public async Task DrainAsync(CancellationToken cancellation)
    {
        while (!_running.IsEmpty && !cancellation.IsCancellationRequested)
        {
            await Task.WhenAll(_running.Keys).WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SettleAsync(Task<AttemptResult> attempt, string upstream, Func<AttemptResult?, Task> ended)
    {
        AttemptResult? result = null;
        try
        {
            result = await attempt;
            metrics.Settled(upstream, result.Outcome);
        }
        finally
        {
            // Without it an idempotency record would stay its owner's until the lease is over.
            await EndAsync(result, ended);
        }
    }

    private async Task EndAsync(AttemptResult? result, Func<AttemptResult?, Task> ended)
    {
        try
        {
            await ended(result);
        }
        finally
        {
            result?.Response?.Dispose();
            metrics.Settling(-1);
        }
    }
}
