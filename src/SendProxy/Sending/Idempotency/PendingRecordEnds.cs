using System.Collections.Concurrent;

namespace SendProxy.Sending.Idempotency;

/// <summary>
/// Ends that Redis did not take in time, written once it answers again: else a twin would wait for a lease that nobody holds.
/// Bounded; what does not fit ends with its lease. Writing one twice does nothing, for the first took the token's state.
/// </summary>
/// <param name="write">False where Redis is away again.</param>
internal sealed class PendingRecordEnds<T>(Func<T, ValueTask<bool>> write, Func<T, long> size)
{
    private const int MaxEnds = 20_000;
    private const long MaxBytes = 8 << 20;

    private readonly ConcurrentQueue<T> _ends = new();
    private long _bytes;

    public void Add(T end)
    {
        if (_ends.Count < MaxEnds && Interlocked.Add(ref _bytes, size(end)) is var held && held <= MaxBytes)
        {
            _ends.Enqueue(end);
        }
        else
        {
            Interlocked.Add(ref _bytes, -size(end));
        }
    }

    public async Task WriteAsync()
    {
        while (_ends.TryDequeue(out var end))
        {
            Interlocked.Add(ref _bytes, -size(end));
            if (!await write(end))
            {
                Add(end);
                return;
            }
        }
    }
}
