using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Priorities;

/// <summary>
/// The requests that wait for permits of one limit, by lane. Lanes are served in order; a lane with a share gets that share while requests
/// wait in it. A request that has waited for half of its maximum goes before its lane's turn, at most every tenth time. Within a lane the
/// order is that of arrival, with first attempts before repeats. Not safe for threads.
/// </summary>
internal sealed class PriorityWaitQueue(LaneTable lanes)
{
    private const int AgeingTurn = 10;

    private readonly LinkedList<Waiter>[] _firsts = Make(lanes);
    private readonly LinkedList<Waiter>[] _repeats = Make(lanes);
    private readonly int[] _costs = new int[lanes.All.Count];
    private readonly double[] _credit = new double[lanes.All.Count];
    private int _turn;

    public int Count { get; private set; }

    /// <summary>Permits that all who wait need.</summary>
    public int Permits { get; private set; }

    /// <summary>When the first of them has waited for as long as it may; never where nobody waits.</summary>
    public Microseconds NextUntil => _firsts.Concat(_repeats).SelectMany(l => l).Select(w => w.Until).DefaultIfEmpty(Microseconds.Never).Min();

    /// <summary>The most that anybody still needs whose turn it may be; 0 where nobody waits.</summary>
    public int NextMissing => _firsts.Concat(_repeats).Max(l => l.First?.Value.Missing ?? 0);

    /// <summary>Who may be served from the urgent reserve.</summary>
    public int Urgent => lanes.All[0].IsUrgent ? _firsts[0].Count + _repeats[0].Count : 0;

    public void Add(Waiter waiter)
    {
        waiter.Node = List(waiter).AddLast(waiter);
        _costs[waiter.Lane.Index] += waiter.Missing;
        Permits += waiter.Missing;
        Count++;
    }

    public void Remove(Waiter waiter)
    {
        if (waiter.Node?.List is { } list)
        {
            list.Remove(waiter.Node);
            _costs[waiter.Lane.Index] -= waiter.Missing;
            Permits -= waiter.Missing;
            Count--;
        }
    }

    /// <summary>How many permits go out before one of this lane, as far as is known now.</summary>
    public double Before(Lane lane)
    {
        double before = 0, own = _costs[lane.Index], shares = 0;
        for (var i = 0; i < _costs.Length; i++)
        {
            if (i < lane.Index)
            {
                before += _costs[i];
            }
            else if (i > lane.Index && _costs[i] > 0)
            {
                shares += lanes.All[i].Share;
            }
        }

        var byTurn = (before + own) / Math.Max(0.1, 1 - shares);
        return lane.Share > 0 ? Math.Min(byTurn, own / lane.Share) : byTurn;
    }

    /// <summary>The first of the urgent.</summary>
    /// <returns>Null where there is none.</returns>
    public Waiter? TakeUrgent() => Urgent == 0 ? null : Take(0);

    /// <summary>Whose turn it is; it no longer stands in the line.</summary>
    /// <returns>Null where nobody waits.</returns>
    public Waiter? Take(Microseconds now)
    {
        if (Count == 0)
        {
            return null;
        }

        if (++_turn % AgeingTurn == 0 && Oldest(now) is { } aged)
        {
            return Taken(aged);
        }

        var first = Array.FindIndex(_costs, c => c > 0);
        for (var i = first + 1; i < _costs.Length; i++)
        {
            _credit[i] = _costs[i] > 0 ? Math.Min(2, _credit[i] + lanes.All[i].Share) : 0;
            if (_credit[i] >= 1)
            {
                _credit[i]--;
                return Take(i);
            }
        }

        return Take(first);
    }

    /// <summary>Removes those that <paramref name="gone"/> says of.</summary>
    public IEnumerable<Waiter> RemoveAll(Func<Waiter, bool> gone)
    {
        List<Waiter> removed = [.. _firsts.Concat(_repeats).SelectMany(l => l).Where(gone)];
        removed.ForEach(Remove);
        return removed;
    }

    private static LinkedList<Waiter>[] Make(LaneTable lanes) => [.. lanes.All.Select(_ => new LinkedList<Waiter>())];

    private LinkedList<Waiter> List(Waiter waiter) => (waiter.IsRepeat ? _repeats : _firsts)[waiter.Lane.Index];

    private Waiter Take(int lane) => Taken((_firsts[lane].First ?? _repeats[lane].First)!.Value);

    private Waiter Taken(Waiter waiter)
    {
        Remove(waiter);
        return waiter;
    }

    private Waiter? Oldest(Microseconds now)
    {
        Waiter? oldest = null;
        for (var i = 0; i < _costs.Length; i++)
        {
            foreach (var list in (ReadOnlySpan<LinkedList<Waiter>>)[_firsts[i], _repeats[i]])
            {
                if (list.First?.Value is { } head && now - head.Since > (head.Until - head.Since) / 2 && (oldest is null || head.Since < oldest.Since))
                {
                    oldest = head;
                }
            }
        }

        return oldest;
    }
}
