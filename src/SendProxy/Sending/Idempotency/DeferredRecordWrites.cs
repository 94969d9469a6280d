namespace SendProxy.Sending.Idempotency;

/// <summary>
/// Keeps the ends of idempotency records that Redis did not take in time, and writes them once it answers again. Until then a
/// second request with the same key waits for the lease of the first. Bounded by number and bytes: an end that finds no room is
/// dropped, and its record stays taken until its lease is over. Writing an end twice does no harm, since the store ignores the
/// second one of the same token.
/// </summary>
/// <param name="write">Gives false where Redis is unavailable again.</param>
/// <param name="size">Bytes that an end holds.</param>
internal sealed class DeferredRecordWrites<T>(Func<T, ValueTask<bool>> write, Func<T, long> size)
{
    public const int MaxEnds = 20_000;
    public const long MaxBytes = 8 << 20;

    private readonly Lock _lock = new();
    private readonly Queue<T> _ends = new();
    private long _bytes;

    public void Add(T end)
    {
        lock (_lock)
        {
            if (_ends.Count < MaxEnds && _bytes + size(end) <= MaxBytes)
            {
                _ends.Enqueue(end);
                _bytes += size(end);
            }
        }
    }

    /// <summary>Writes what is kept, until Redis does not take one; that one is kept, whatever the reason was.</summary>
    public async Task WriteAsync()
    {
        while (TryTake(out var end))
        {
            var isWritten = false;
            try
            {
                isWritten = await write(end);
            }
            finally
            {
                if (!isWritten)
                {
                    Add(end);
                }
            }

            if (!isWritten)
            {
                return;
            }
        }
    }

    private bool TryTake(out T end)
    {
        lock (_lock)
        {
            if (!_ends.TryDequeue(out end!))
            {
                return false;
            }

            _bytes -= size(end);
            return true;
        }
    }
}
