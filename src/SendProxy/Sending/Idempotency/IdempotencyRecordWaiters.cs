namespace SendProxy.Sending.Idempotency;

/// <summary>Who waits in this process for the end of a running record, by the record's id.</summary>
internal sealed class IdempotencyRecordWaiters
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (TaskCompletionSource Ended, int Count)> _waiting = new(StringComparer.Ordinal);

    /// <summary>To be paired with <see cref="Leave"/>.</summary>
    public Task Enter(string id)
    {
        lock (_lock)
        {
            var (ended, count) = _waiting.TryGetValue(id, out var found)
                ? found
                : (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), 0);
            _waiting[id] = (ended, count + 1);
            return ended.Task;
        }
    }

    public void Leave(string id, Task entered)
    {
        lock (_lock)
        {
            // A waiter that was woken is no longer in the list, and another one may have begun to wait since.
            if (_waiting.TryGetValue(id, out var found) && found.Ended.Task == entered)
            {
                if (found.Count > 1)
                {
                    _waiting[id] = (found.Ended, found.Count - 1);
                }
                else
                {
                    _waiting.Remove(id);
                }
            }
        }
    }

    public void Wake(string id)
    {
        (TaskCompletionSource Ended, int Count) found;
        lock (_lock)
        {
            if (!_waiting.Remove(id, out found))
            {
                return;
            }
        }

        found.Ended.TrySetResult();
    }
}
