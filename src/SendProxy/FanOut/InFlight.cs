namespace SendProxy.FanOut;

/// <summary>Counts what is on its way, and lets one wait until there is less of it.</summary>
internal sealed class InFlight
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _ended = New();
    private int _count;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <returns>How many there are now.</returns>
    public int Began()
    {
        lock (_lock)
        {
            return ++_count;
        }
    }

    /// <returns>How many are left.</returns>
    public int Ended()
    {
        TaskCompletionSource ended;
        int left;
        lock (_lock)
        {
            left = --_count;
            (ended, _ended) = (_ended, New());
        }

        ended.SetResult();
        return left;
    }

    /// <summary>Completes when there are at most <paramref name="most"/>.</summary>
    public async Task DownToAsync(int most)
    {
        while (true)
        {
            Task ended;
            lock (_lock)
            {
                if (_count <= most)
                {
                    return;
                }

                ended = _ended.Task;
            }

            await ended;
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
