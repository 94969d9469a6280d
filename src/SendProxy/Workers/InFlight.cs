namespace SendProxy.Workers;

/// <summary>Counts what is on its way, and lets one wait until there is less of it.</summary>
internal sealed class InFlight
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _ended = New();
    private int _count;
    private long _bytes;

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
    public int Began(long bytes)
    {
        lock (_lock)
        {
            _bytes += bytes;
            return ++_count;
        }
    }

    /// <returns>How many are left.</returns>
    public int Ended(long bytes)
    {
        TaskCompletionSource ended;
        int left;
        lock (_lock)
        {
            _bytes -= bytes;
            left = --_count;
            (ended, _ended) = (_ended, New());
        }

        ended.SetResult();
        return left;
    }

    /// <summary>Completes when there are at most <paramref name="most"/>, and of less than <paramref name="mostBytes"/> together or none.</summary>
    public async Task DownToAsync(int most, long mostBytes = long.MaxValue)
    {
        while (true)
        {
            Task ended;
            lock (_lock)
            {
                if (_count <= most && (_bytes < mostBytes || _count == 0))
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
