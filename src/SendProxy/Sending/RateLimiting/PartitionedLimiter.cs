using System.Threading.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Sending.RateLimiting.Rates;

namespace SendProxy.Sending.RateLimiting;

/// <summary>
/// One limit for each value of a field, as <c>10/min</c> for each recipient. Values are known by a hash; their number is
/// bounded: the one unused for longest is forgotten first, never one that someone waits for. Where the fleet keeps the state,
/// forgetting loses nothing.
/// </summary>
internal sealed class PartitionedLimiter(LimitOptions options, LaneTable lanes, Func<string, FleetRateLimiter> make, TimeProvider time) : PlanLimiter(options, lanes)
{
    private readonly Dictionary<string, LinkedListNode<(string Value, FleetRateLimiter Limiter)>> _byValue = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Value, FleetRateLimiter Limiter)> _used = new();
    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();
    private bool _disposed;

    // A limit that has filled up again is the same as one that was never used.
    private readonly TimeSpan _forgetAfter = options.Rate!.Value.Per + TimeSpan.FromMinutes(1);

    public override TimeSpan BlockedFor(in PermitRequest request) => For(request).BlockedFor(request);

    public override TimeSpan? IdleDuration
    {
        get
        {
            lock (_lock)
            {
                return _used.Count == 0 ? time.GetElapsedTime(_start) : _used.Any(u => u.Limiter.IdleDuration is null) ? null : _used.Min(u => u.Limiter.IdleDuration);
            }
        }
    }

    public override bool TryTake(in PermitRequest request, out Permit permit) => For(request).TryTake(request, out permit);

    public override ValueTask<Permit> AcquireAsync(PermitRequest request, TimeSpan maxWait, CancellationToken cancellation) =>
        For(request).AcquireAsync(request, maxWait, cancellation);

    public override TimeSpan Predict(in PermitRequest request) => For(request).Predict(request);

    public override void GiveBack(in PermitRequest request, Permit permit) => For(request).GiveBack(request, permit);

    public override void Throttle(in PermitRequest request, in VendorRefusal refusal) => For(request).Throttle(request, refusal);

    /// <summary>Ends the block of each value that this process knows of.</summary>
    public override bool Unblock()
    {
        lock (_lock)
        {
            return _used.Aggregate(false, (any, used) => used.Limiter.Unblock() || any) || _used.Count == 0;
        }
    }

    public override RateLimiterStatistics GetStatistics()
    {
        lock (_lock)
        {
            var all = _used.Select(u => u.Limiter.GetStatistics()!).ToArray();
            return new RateLimiterStatistics
            {
                CurrentAvailablePermits = all.Sum(s => s.CurrentAvailablePermits),
                CurrentQueuedCount = all.Sum(s => s.CurrentQueuedCount),
                TotalSuccessfulLeases = all.Sum(s => s.TotalSuccessfulLeases),
                TotalFailedLeases = all.Sum(s => s.TotalFailedLeases),
            };
        }
    }

    /// <returns>One line for all of its values.</returns>
    public override IEnumerable<LimitView> Views()
    {
        lock (_lock)
        {
            LimitView[] all = [.. _used.SelectMany(u => u.Limiter.Views())];
            return
            [
                new LimitView(
                    Name, $"{Options.Plan} for each {Options.Per}", all.Any(v => v.Mode == "share") ? "share" : all.FirstOrDefault()?.Mode ?? "ready",
                    $"{_used.Count} of at most {Options.MaxPer} values", all.Sum(v => v.Used), null, all.Sum(v => v.Waiting),
                    all.Select(v => v.Processes).DefaultIfEmpty(1).Max(), all.Select(v => v.BlockedSeconds).DefaultIfEmpty().Max(), null, null, null),
            ];
        }
    }

    protected override void Dispose(bool disposing)
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (var (_, limiter) in _used)
            {
                limiter.Dispose();
            }
        }

        base.Dispose(disposing);
    }

    private FleetRateLimiter For(in PermitRequest request)
    {
        var value = request.Per ?? "";
        lock (_lock)
        {
            if (_byValue.TryGetValue(value, out var node))
            {
                _used.Remove(node);
                _used.AddFirst(node);
                return node.Value.Limiter;
            }

            MakeRoom();
            node = _used.AddFirst((value, make(value)));
            _byValue[value] = node;
            if (_disposed)
            {
                node.Value.Limiter.Dispose();
            }

            return node.Value.Limiter;
        }
    }

    // The oldest two are looked at each time one is added: more go than come, while they are idle.
    private void MakeRoom()
    {
        for (var looked = 0; looked < 2 && _used.Last is { } oldest; looked++)
        {
            var full = _used.Count >= Options.MaxPer;
            var idle = oldest.Value.Limiter.IdleDuration;
            if (!(idle > _forgetAfter || (full && idle is not null)))
            {
                break;
            }

            Forget(oldest);
        }
    }

    private void Forget(LinkedListNode<(string Value, FleetRateLimiter Limiter)> node)
    {
        _used.Remove(node);
        _byValue.Remove(node.Value.Value);
        node.Value.Limiter.Dispose();
    }
}
