using System.Collections.Concurrent;

namespace SendProxy.Outbox.Messages;

/// <summary>Wakes those of this process who wait for a message's end.</summary>
internal sealed class OutboxSignals
{
    private readonly ConcurrentDictionary<Guid, TaskCompletionSource> _waiting = new();

    /// <summary>It has ended, or moved.</summary>
    public void Moved(Guid id)
    {
        if (_waiting.TryRemove(id, out var waiting))
        {
            waiting.SetResult();
        }
    }

    /// <summary>Completes at the next <see cref="Moved"/> of it, or when <paramref name="wait"/> is over.</summary>
    public async Task WaitAsync(Guid id, TimeSpan wait, TimeProvider time, CancellationToken cancellation)
    {
        var moved = _waiting.GetOrAdd(id, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        try
        {
            await moved.Task.WaitAsync(wait, time, cancellation);
        }
        catch (TimeoutException)
        {
            // Another process may have moved it: who waits looks in the store.
            _waiting.TryRemove(new(id, moved));
        }
    }
}
