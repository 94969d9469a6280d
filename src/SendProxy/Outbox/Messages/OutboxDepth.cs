using System.Collections.Concurrent;

namespace SendProxy.Outbox.Messages;

/// <summary>
/// How many messages of each route are not finished, and how fast they leave: counted in the store from time to time, and here in
/// between. What other processes add meanwhile is not seen before the next count.
/// </summary>
internal sealed class OutboxDepth(TimeProvider time)
{
    private static readonly TimeSpan Unknown = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private readonly ConcurrentDictionary<string, Count> _routes = new(StringComparer.Ordinal);

    public long Of(string route) => _routes.TryGetValue(route, out var count) ? Volatile.Read(ref count.Items) : 0;

    public void Accepted(string route) => Interlocked.Increment(ref Of(route, 0).Items);

    /// <summary>One of the route is finished.</summary>
    public void Ended(string route)
    {
        var count = Of(route, 0);
        Interlocked.Decrement(ref count.Items);
        count.Left(time.GetUtcNow());
    }

    /// <summary>The store has counted.</summary>
    public void Counted(IReadOnlyDictionary<string, long> byRoute)
    {
        foreach (var route in _routes.Keys.Union(byRoute.Keys, StringComparer.Ordinal))
        {
            Volatile.Write(ref Of(route, 0).Items, byRoute.GetValueOrDefault(route));
        }
    }

    /// <summary>How long until one more place is free, as fast as messages have left lately.</summary>
    /// <param name="route">Null: of any route.</param>
    public TimeSpan UntilRoom(string? route)
    {
        var now = time.GetUtcNow();
        var perSecond = _routes.Where(r => route is null || r.Key == route).Sum(r => r.Value.LeftPerSecond(now));
        var wait = perSecond <= 0 ? Unknown : TimeSpan.FromSeconds(Math.Min(Longest.TotalSeconds, 1 / perSecond));
        return wait < TimeSpan.FromSeconds(1) ? TimeSpan.FromSeconds(1) : wait;
    }

    private Count Of(string route, long items) => _routes.GetOrAdd(route, _ => new Count { Items = items });

    private sealed class Count
    {
        private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
        private readonly Lock _lock = new();
        private DateTimeOffset _since;
        private long _left;
        private double _before;

        public long Items;

        public void Left(DateTimeOffset now)
        {
            lock (_lock)
            {
                Turn(now);
                _left++;
            }
        }

        public double LeftPerSecond(DateTimeOffset now)
        {
            lock (_lock)
            {
                Turn(now);
                return Math.Max(_before, _left / Math.Max(1, (now - _since).TotalSeconds));
            }
        }

        private void Turn(DateTimeOffset now)
        {
            var passed = now - _since;
            if (passed >= Window)
            {
                _before = passed >= Window * 2 ? 0 : _left / passed.TotalSeconds;
                (_since, _left) = (now, 0);
            }
        }
    }
}
