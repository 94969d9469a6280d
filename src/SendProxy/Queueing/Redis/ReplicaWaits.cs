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
    private readonly ConcurrentDictionary<int, Waits> _byShard = new();

    /// <returns>False where too few replicas had it in time: it is stored, but not as well as it must be.</returns>
    public Task<bool> WrittenAsync(QueueShard shard) => options.Replicas == 0
        ? Task.FromResult(true)
        : _byShard.GetOrAdd(shard.Number, _ => new Waits(() => WaitAsync(shard))).JoinAsync();

    private async Task<bool> WaitAsync(QueueShard shard)
    {
        var most = (long)calls.Link.Options.CallTimeout.TotalMilliseconds / 2;
        var reply = await calls.Link.AskNodeAsync("wait", shard.Key, "WAIT", options.Replicas, most.ToString(CultureInfo.InvariantCulture));
        return reply.Result is { } result && (long)result >= options.Replicas;
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
