namespace SendProxy.Sandbox.Faults;

/// <summary>The rules in force, in the order they were added. The first that fits is used.</summary>
internal sealed class FaultRules(ulong seed)
{
    private const int RulesMax = 1000;
    private readonly Lock _gate = new();
    private readonly List<ActiveRule> _rules = [];
#pragma warning disable CA5394 // A share of faults is no secret; a seed must repeat it.
    private readonly Random _random = new(unchecked((int)(seed ^ (seed >> 32))));
#pragma warning restore CA5394
    private int _active;
    private int _lastId;

    /// <summary>Adds a rule and returns its id.</summary>
    /// <exception cref="InvalidOperationException">There are too many.</exception>
    public int Add(FaultRule rule)
    {
        lock (_gate)
        {
            if (_rules.Count >= RulesMax) { throw new InvalidOperationException("Too many fault rules."); }
            _rules.Add(new ActiveRule(++_lastId, rule));
            Volatile.Write(ref _active, _rules.Count);
            return _lastId;
        }
    }

    /// <summary>Adds a rule for the next requests: <c>Add("rate-limited;ms=2000", count: 3)</c>.</summary>
    /// <param name="fault">As in <c>X-Sandbox-Fault</c>.</param>
    /// <param name="count">Requests that meet it; null for no end.</param>
    /// <param name="path">Only for paths that begin so; null for all sends.</param>
    /// <exception cref="ArgumentException">There is no such fault.</exception>
    public int Add(string fault, int? count = 1, string? path = null)
    {
        var parsed = Fault.Parse(fault, out var problem) ?? throw new ArgumentException(problem, nameof(fault));
        return Add(new FaultRule(parsed) { Count = count, Path = path });
    }

    /// <returns>The fault that this request meets, or null.</returns>
    public Fault? Pick(string path, string? channel)
    {
        if (Volatile.Read(ref _active) == 0) { return null; }
        lock (_gate)
        {
            foreach (var active in _rules)
            {
                if (!active.Fits(path, channel) || !active.Hits(_random)) { continue; }
                if (active.IsSpent)
                {
                    _rules.Remove(active);
                    Volatile.Write(ref _active, _rules.Count);
                }

                return active.Rule.Fault;
            }
        }

        return null;
    }

    /// <summary>The rules in force with their id and the requests that met them.</summary>
    public IReadOnlyList<(int Id, FaultRule Rule, int Met)> Read()
    {
        lock (_gate) { return [.. _rules.Select(r => (r.Id, r.Rule, r.Met))]; }
    }

    /// <returns>False when there is no rule of this id.</returns>
    public bool Remove(int id)
    {
        lock (_gate)
        {
            var removed = _rules.RemoveAll(r => r.Id == id) > 0;
            Volatile.Write(ref _active, _rules.Count);
            return removed;
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _rules.Clear();
            Volatile.Write(ref _active, 0);
        }
    }

    private sealed class ActiveRule(int id, FaultRule rule)
    {
        private int _skipped;

        public int Id => id;

        public FaultRule Rule => rule;

        public int Met { get; private set; }

        public bool IsSpent => rule.Count is { } count && Met >= count;

        public bool Fits(string path, string? channel) =>
            (rule.Path is null ? channel is not null : path.StartsWith(rule.Path, StringComparison.Ordinal))
            && (rule.Channel is null || string.Equals(rule.Channel, channel, StringComparison.Ordinal));

        public bool Hits(Random random)
        {
            if (_skipped < rule.Skip)
            {
                _skipped++;
                return false;
            }

#pragma warning disable CA5394 // As above.
            var hits = rule.Share >= 1 || random.NextDouble() < rule.Share;
#pragma warning restore CA5394
            if (hits) { Met++; }
            return hits;
        }
    }
}
