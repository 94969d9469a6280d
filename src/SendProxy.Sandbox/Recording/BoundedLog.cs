namespace SendProxy.Sandbox.Recording;

/// <summary>
/// The newest entries of an endless list. Memory is bounded: the oldest give way and are counted.
/// Numbers start at 1 and never repeat, so a reader pages with the last number it has seen.
/// </summary>
internal sealed class BoundedLog<T>(int capacity)
{
    private readonly Lock _gate = new();
    private T[] _ring = new T[Math.Min(capacity, 256)];
    private long _first = 1;
    private long _next = 1;
    private TaskCompletionSource? _grown;

    /// <summary>Entries that are still held.</summary>
    public int Count
    {
        get { lock (_gate) { return (int)(_next - _first); } }
    }

    /// <summary>Entries that gave way to newer ones, since the start. Emptying does not count.</summary>
    public long Dropped { get; private set; }

    /// <summary>Appends what <paramref name="make"/> returns for the entry's number.</summary>
    public T Append<TState>(TState state, Func<long, TState, T> make)
    {
        T entry;
        TaskCompletionSource? grown;
        lock (_gate)
        {
            entry = make(_next, state);
            var held = (int)(_next - _first);
            if (held == _ring.Length)
            {
                if (held < capacity) { Grow(held); }
                else { _first++; Dropped++; }
            }

            _ring[_next % _ring.Length] = entry;
            _next++;
            (grown, _grown) = (_grown, null);
        }

        grown?.SetResult();
        return entry;
    }

    /// <summary>Ends when the entry of this number has been appended. A clear does not begin anew.</summary>
    public async Task ReachAsync(long number, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task growth;
            lock (_gate)
            {
                if (_next > number) { return; }
                _grown ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                growth = _grown.Task;
            }

            await growth.WaitAsync(cancellationToken);
        }
    }

    /// <summary>At most <paramref name="limit"/> entries after <paramref name="since"/>, oldest first.</summary>
    public IReadOnlyList<T> Read(long since = 0, int limit = int.MaxValue)
    {
        lock (_gate)
        {
            var from = Math.Max(since + 1, _first);
            var count = (int)Math.Clamp(_next - from, 0, limit);
            var page = new T[count];
            for (var i = 0; i < count; i++) { page[i] = _ring[(from + i) % _ring.Length]; }
            return page;
        }
    }

    /// <summary>Forgets all entries. Numbers go on, so a page read before stays valid.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _first = _next;
            Array.Clear(_ring);
        }
    }

    private void Grow(int held)
    {
        var grown = new T[(int)Math.Min((long)held * 2, capacity)];
        for (var n = _first; n < _next; n++) { grown[n % grown.Length] = _ring[n % _ring.Length]; }
        _ring = grown;
    }
}
