using SendProxy.Sqlite;

namespace SendProxy.Queueing;

/// <summary>
/// Counts and holds in memory beside their tables: read once at open, moved with every change, undone with it. Only the
/// journal's thread uses it. After a commit it tells the gauges and wakes the workers of the queues that changed.
/// </summary>
internal sealed class LotBook
{
    private readonly Dictionary<(string Queue, string Route, string Group), Lot> _byName = [];
    private readonly Dictionary<long, Lot> _byNumber = [];
    private readonly Dictionary<(string Queue, HoldScope Scope, string Name), Hold> _holds = [];
    private readonly Dictionary<string, bool> _touched = new(StringComparer.Ordinal);
    private readonly QueueMetrics _metrics;
    private readonly QueueSignals _signals;
    private readonly Action _publish;

    public LotBook(QueueMetrics metrics, QueueSignals signals)
    {
        (_metrics, _signals, _publish) = (metrics, signals, Publish);
    }

    /// <summary>Items of all queues and states.</summary>
    public long TotalItems { get; private set; }

    /// <summary>Items that may be given up before their time.</summary>
    public long SettledItems => All.Sum(lot => SqliteSweep.Settled.Sum(state => lot.Items[(int)state]));

    public IEnumerable<string> Queues => _byNumber.Values.Select(lot => lot.Queue).Distinct(StringComparer.Ordinal);

    public IEnumerable<Lot> All => _byNumber.Values;

    public IEnumerable<Hold> Holds => _holds.Values;

    public Lot this[long number] => _byNumber[number];

    public IEnumerable<Lot> Of(string queue) => _byNumber.Values.Where(lot => lot.Queue == queue);

    public bool IsHeld(Lot lot) => _holds.Count > 0
        && (_holds.ContainsKey((lot.Queue, HoldScope.Route, lot.Route))
            || _holds.ContainsKey((lot.Queue, HoldScope.Group, lot.Group)));

    /// <summary>The lot of this name, made when there is none.</summary>
    public Lot Get(SqliteSession session, string queue, string route, string group)
    {
        if (!_byName.TryGetValue((queue, route, group), out var lot))
        {
            lot = new Lot(session.Number(LotSql.Insert, queue, route, group)!.Value, queue, route, group);
            Add(lot);
            session.OnRolledBack(() => Forget(lot));
        }

        return lot;
    }

    public void Remove(SqliteSession session, Lot lot)
    {
        session.Execute(LotSql.Delete, lot.Number);
        Forget(lot);
        session.OnRolledBack(() => Add(lot));
    }

    /// <summary>Counts a change of one item; null stands for not being there.</summary>
    /// <param name="session">Its transaction.</param>
    /// <param name="lot">Whose item it is.</param>
    /// <param name="from">State before.</param>
    /// <param name="to">State after.</param>
    /// <param name="lane">The item's.</param>
    /// <param name="ready">1 when it becomes claimable, -1 when it ceases to be.</param>
    public void Move(SqliteSession session, Lot lot, ItemState? from, ItemState? to, int lane, int ready)
    {
        Apply(lot, from, to, lane, ready);
        session.OnRolledBack(() => Apply(lot, to, from, lane, -ready));
        Touch(session, lot.Queue, wake: ready > 0);
    }

    /// <summary>An item that waited behind another under its order key is claimable now.</summary>
    public void Unblocked(SqliteSession session, Lot lot, int lane) => Move(session, lot, null, null, lane, 1);

    /// <summary>
    /// Has the queue's gauges set after the commit and, where something may be claimable now, its workers woken.
    /// </summary>
    public void Touch(SqliteSession session, string queue, bool wake)
    {
        _touched[queue] = wake || _touched.GetValueOrDefault(queue);
        session.OnCommitted(_publish);
    }

    public void Set(SqliteSession session, Hold hold)
    {
        var key = (hold.Queue, hold.Scope, hold.Name);
        var before = _holds.GetValueOrDefault(key);
        session.Execute(
            LotSql.Hold, hold.Queue, (int)hold.Scope, hold.Name, hold.Reason, hold.Since.ToUnixTimeMilliseconds());
        _holds[key] = hold;
        session.OnRolledBack(() => Restore(key, before));
        Touch(session, hold.Queue, wake: false);
    }

    public bool Clear(SqliteSession session, string queue, HoldScope scope, string name)
    {
        if (!_holds.Remove((queue, scope, name), out var before))
        {
            return false;
        }

        session.OnRolledBack(() => Restore((queue, scope, name), before));
        session.Execute(LotSql.Release, queue, (int)scope, name);
        Touch(session, queue, wake: true);
        return true;
    }

    /// <summary>Reads the lots, and puts back what was leased when the process ended. Before <see cref="Load"/>.</summary>
    public void Recover(SqliteSession session)
    {
        using (var lots = session.Query(LotSql.Lots))
        {
            while (lots.Read())
            {
                Add(new Lot(lots.Number(0), lots.Text(1), lots.Text(2), lots.Text(3)));
            }
        }

        foreach (var queue in Queues)
        {
            session.Execute(ItemSql.Recover, queue);
        }
    }

    /// <summary>Reads counts and holds, and has all gauges set.</summary>
    public void Load(SqliteSession session)
    {
        using (var counts = session.Query(LotSql.Counts))
        {
            while (counts.Read())
            {
                this[counts.Number(0)].Items[counts.Int(1)] += counts.Number(2);
                TotalItems += counts.Number(2);
            }
        }

        using (var ready = session.Query(LotSql.Ready))
        {
            while (ready.Read())
            {
                this[ready.Number(0)].Ready[ready.Int(1)] += ready.Number(2);
            }
        }

        using (var holds = session.Query(LotSql.Holds))
        {
            while (holds.Read())
            {
                var hold = new Hold(
                    holds.Text(0), (HoldScope)holds.Int(1), holds.Text(2), holds.Text(3),
                    DateTimeOffset.FromUnixTimeMilliseconds(holds.Number(4)));
                _holds[(hold.Queue, hold.Scope, hold.Name)] = hold;
            }
        }

        foreach (var queue in Queues)
        {
            Touch(session, queue, wake: false);
        }
    }

    private void Add(Lot lot)
    {
        _byName.Add((lot.Queue, lot.Route, lot.Group), lot);
        _byNumber.Add(lot.Number, lot);
    }

    private void Forget(Lot lot)
    {
        _byName.Remove((lot.Queue, lot.Route, lot.Group));
        _byNumber.Remove(lot.Number);
    }

    private void Restore((string Queue, HoldScope Scope, string Name) key, Hold? before)
    {
        if (before is null)
        {
            _holds.Remove(key);
        }
        else
        {
            _holds[key] = before;
        }
    }

    private void Apply(Lot lot, ItemState? from, ItemState? to, int lane, int ready)
    {
        if (from is { } left)
        {
            lot.Items[(int)left]--;
            TotalItems--;
        }

        if (to is { } entered)
        {
            lot.Items[(int)entered]++;
            TotalItems++;
        }

        lot.Ready[lane] += ready;
    }

    private void Publish()
    {
        Span<long> byState = stackalloc long[ItemStates.Count];
        foreach (var (queue, wake) in _touched)
        {
            byState.Clear();
            var unopenable = 0L;
            foreach (var lot in Of(queue))
            {
                unopenable += lot.Items[(int)ItemState.Held];
                var held = IsHeld(lot);
                for (var state = 0; state < byState.Length; state++)
                {
                    byState[(int)((ItemState)state).Seen(held)] += lot.Items[state];
                }
            }

            _metrics.Counted(queue, byState, unopenable);
            if (wake)
            {
                _signals.Raise(queue);
            }
        }

        _touched.Clear();
    }
}
