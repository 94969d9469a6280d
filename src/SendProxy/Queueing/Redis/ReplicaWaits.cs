using System.Collections.Concurrent;
using System.Globalization;
using SendProxy.Queueing.Redis.Shards;

namespace SendProxy.Queueing.Redis;

/// <summary>
/// Waits until replicas have what was written: <c>journal.replicas</c>. One WAIT serves all that was written before it, so that many
/// writers at once share a few.
/// </summary>
internal sealed class ReplicaWaits(QueueCalls calls, JournalOptions options)
{
    // WAIT holds up all that comes behind it on the connection: replicas have an item in milliseconds, or are away. While they are, they are asked
    // once in a while only.
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<int, Waits> _byShard = new();
    private readonly ConcurrentDictionary<int, long> _missed = new();

    /// <returns>False where too few replicas had it in time: it is stored, but not as well as it must be.</returns>
    public Task<bool> WrittenAsync(QueueShard shard) => options.Replicas == 0
        ? Task.FromResult(true)
        : _byShard.GetOrAdd(shard.Number, _ => new Waits(() => WaitAsync(shard))).JoinAsync();

    private async Task<bool> WaitAsync(QueueShard shard)
    {
        if (_missed.TryGetValue(shard.Number, out var missed) && TimeProvider.System.GetElapsedTime(missed) < AskAgain)
        {
            return false;
        }

        var most = Math.Min(Longest.TotalMilliseconds, calls.Link.Options.CallTimeout.TotalMilliseconds / 2);
        var reply = await calls.Link.AskNodeAsync("wait", shard.Key, "WAIT", options.Replicas, ((long)most).ToString(CultureInfo.InvariantCulture));
        var isWritten = reply.Result is { } result && (long)result >= options.Replicas;
        if (isWritten)
        {
            _missed.TryRemove(shard.Number, out _);
        }
        else
        {
            _missed[shard.Number] = TimeProvider.System.GetTimestamp();
        }

        return isWritten;
    }

    /// <summary>One runs, and one is next: who comes while one runs joins the next one, which begins after it wrote.</summary>
    private sealed class Waits(Func<Task<bool>> wait)
    {
        private readonly Lock _lock = new();
        private Task<bool>? _running;
        private Task<bool>? _next;

        public Task<bool> JoinAsync()
        {
            lock (_lock)
            {
                if (_running is null || _running.IsCompleted)
                {
                    _next = null;
                    return _running = wait();
                }

                return _next is { IsCompleted: false } ? _next : _next = AfterAsync(_running);
            }
        }

        private async Task<bool> AfterAsync(Task running)
        {
            await running;
            Task<bool> mine;
            lock (_lock)
            {
                _next = null;
                mine = _running = wait();
            }

            return await mine;
        }
    }
}
