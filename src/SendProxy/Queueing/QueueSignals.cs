using System.Collections.Concurrent;

namespace SendProxy.Queueing;

/// <summary>
/// Wakes workers of this process. A version counts what happened, so that nothing between a claim and a wait is
/// missed.
/// </summary>
internal sealed class QueueSignals(TimeProvider time)
{
    // A timer's bound is 49 days; nobody minds a needless look once an hour.
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);
    private readonly ConcurrentDictionary<string, Signal> _signals = new(StringComparer.Ordinal);

    /// <summary>Queues that somebody asked for.</summary>
    public ICollection<string> Names => _signals.Keys;

    public long Version(string queue) => Of(queue).Version;

    public void Raise(string queue) => Of(queue).Raise();

    /// <summary>Something may have happened that nobody was told of.</summary>
    public void RaiseAll()
    {
        foreach (var signal in _signals.Values)
        {
            signal.Raise();
        }
    }

    /// <summary>
    /// Returns when the version is another than <paramref name="seen"/> or <paramref name="due"/> has come.
    /// </summary>
    public async ValueTask WaitAsync(string queue, long seen, DateTimeOffset? due, CancellationToken cancel)
    {
        var raised = Of(queue).After(seen);
        var wait = due is { } at && at - time.GetUtcNow() is var until && until < LongestWait ? until : LongestWait;
        if (raised.IsCompleted || wait <= TimeSpan.Zero)
        {
            cancel.ThrowIfCancellationRequested();
            return;
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await Task.WhenAny(raised, Task.Delay(wait, time, ended.Token));
        await ended.CancelAsync();
        cancel.ThrowIfCancellationRequested();
    }

    private Signal Of(string queue) => _signals.GetOrAdd(queue, _ => new Signal());

    private sealed class Signal
    {
        private readonly Lock _lock = new();
        private TaskCompletionSource _next = Create();

        public long Version { get; private set; }

        public void Raise()
        {
            TaskCompletionSource raised;
            lock (_lock)
            {
                Version++;
                raised = _next;
                _next = Create();
            }

            raised.SetResult();
        }

        public Task After(long seen)
        {
            lock (_lock)
            {
                return Version == seen ? _next.Task : Task.CompletedTask;
            }
        }

        private static TaskCompletionSource Create() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
