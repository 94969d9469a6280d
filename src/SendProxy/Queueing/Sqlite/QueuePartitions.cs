using SendProxy.Sqlite;

namespace SendProxy.Queueing.Sqlite;

/// <summary>
/// Counts and holds in memory beside their tables: read once at open, moved with every change, undone with it. Only the
/// journal's thread uses it. After a commit it tells the gauges and wakes the workers of the queues that changed.
/// </summary>
internal sealed class QueuePartitions
{
    private readonly Dictionary<(string Queue, string Route, string Group), QueuePartition> _byName = [];
    private readonly Dictionary<long, QueuePartition> _byNumber = [];
    private readonly Dictionary<(string Queue, HoldScope Scope, string Name), Hold> _holds = [];
    private readonly Dictionary<string, bool> _touched = new(StringComparer.Ordinal);
    private readonly QueueMetrics _metrics;
    private readonly QueueSignals _signals;
    private readonly Action _publish;

    public QueuePartitions(QueueMetrics metrics, QueueSignals signals)
    {
        (_metrics, _signals, _publish) = (metrics, signals, Publish);
    }

    /// <summary>Items of all queues and states.</summary>
    public long TotalItems { get; private set; }

    /// <summary>Items that may be given up before their time.</summary>
    public long SettledItems => All.Sum(partition => SqliteSweep.Settled.Sum(state => partition.Items[(int)state]));

    public IEnumerable<string> Queues => _byNumber.Values.Select(partition => partition.Queue).Distinct(StringComparer.Ordinal);

    public IEnumerable<QueuePartition> All => _byNumber.Values;

    public IEnumerable<Hold> Holds => _holds.Values;

    public QueuePartition this[long number] => _byNumber[number];

    public IEnumerable<QueuePartition> Of(string queue) => _byNumber.Values.Where(partition => partition.Queue == queue);

    public bool IsHeld(QueuePartition partition) => _holds.Count > 0
        && (_holds.ContainsKey((partition.Queue, HoldScope.Route, partition.Route))
            || _holds.ContainsKey((partition.Queue, HoldScope.Group, partition.Group)));

    /// <summary>The partition of this name, made when there is none.</summary>
    public QueuePartition Get(SqliteSession session, string queue, string route, string group)
    {
        if (!_byName.TryGetValue((queue, route, group), out var partition))
        {
            partition = new QueuePartition(session.Number(PartitionSql.Insert, queue, route, group)!.Value, queue, route, group);
            Add(partition);
            session.OnRolledBack(() => Forget(partition));
        }

        return partition;
    }

    public void Remove(SqliteSession session, QueuePartition partition)
    {
        session.Execute(PartitionSql.Delete, partition.Number);
        Forget(partition);
        session.OnRolledBack(() => Add(partition));
    }

    /// <summary>Counts a change of one item; null stands for not being there.</summary>
    /// <param name="session">Its transaction.</param>
    /// <param name="partition">Whose item it is.</param>
    /// <param name="from">State before.</param>
    /// <param name="to">State after.</param>
    /// <param name="lane">The item's.</param>
    /// <param name="ready">1 when it becomes claimable, -1 when it ceases to be.</param>
    public void Move(SqliteSession session, QueuePartition partition, ItemState? from, ItemState? to, int lane, int ready)
    {
        Apply(partition, from, to, lane, ready);
        session.OnRolledBack(() => Apply(partition, to, from, lane, -ready));
        Touch(session, partition.Queue, wake: ready > 0);
    }

    /// <summary>An item that waited behind another under its order key is claimable now.</summary>
    public void Unblocked(SqliteSession session, QueuePartition partition, int lane) => Move(session, partition, null, null, lane, 1);

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
            PartitionSql.Hold, hold.Queue, (int)hold.Scope, hold.Name, hold.Reason, hold.Since.ToUnixTimeMilliseconds());
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
        session.Execute(PartitionSql.Release, queue, (int)scope, name);
        Touch(session, queue, wake: true);
        return true;
    }

    /// <summary>Reads the partitions, and puts back what was leased when the process ended. Before <see cref="Load"/>.</summary>
    public void Recover(SqliteSession session)
    {
        // It may be the second try: on a full disk the first one changed nothing that stayed.
        _byName.Clear();
        _byNumber.Clear();
        _holds.Clear();
        TotalItems = 0;
        using (var partitions = session.Query(PartitionSql.Partitions))
        {
            while (partitions.Read())
            {
                Add(new QueuePartition(partitions.Number(0), partitions.Text(1), partitions.Text(2), partitions.Text(3)));
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
        using (var counts = session.Query(PartitionSql.Counts))
        {
            while (counts.Read())
            {
                this[counts.Number(0)].Items[counts.Int(1)] += counts.Number(2);
                TotalItems += counts.Number(2);
            }
        }

        using (var ready = session.Query(PartitionSql.Ready))
        {
            while (ready.Read())
            {
                this[ready.Number(0)].Ready[ready.Int(1)] += ready.Number(2);
            }
        }

        using (var holds = session.Query(PartitionSql.Holds))
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

    private void Add(QueuePartition partition)
    {
        _byName.Add((partition.Queue, partition.Route, partition.Group), partition);
        _byNumber.Add(partition.Number, partition);
    }

    private void Forget(QueuePartition partition)
    {
        _byName.Remove((partition.Queue, partition.Route, partition.Group));
        _byNumber.Remove(partition.Number);
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

    private void Apply(QueuePartition partition, ItemState? from, ItemState? to, int lane, int ready)
    {
        if (from is { } left)
        {
            partition.Items[(int)left]--;
            TotalItems--;
        }

        if (to is { } entered)
        {
            partition.Items[(int)entered]++;
            TotalItems++;
        }

        partition.Ready[lane] += ready;
    }

    private void Publish()
    {
        Span<long> byState = stackalloc long[ItemStates.Count];
        foreach (var (queue, wake) in _touched)
        {
            byState.Clear();
            var unopenable = 0L;
            foreach (var partition in Of(queue))
            {
                unopenable += partition.Items[(int)ItemState.Held];
                var held = IsHeld(partition);
                for (var state = 0; state < byState.Length; state++)
                {
                    byState[(int)((ItemState)state).Seen(held)] += partition.Items[state];
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
