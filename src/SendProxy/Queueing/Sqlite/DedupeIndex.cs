using SendProxy.Queueing.Sealed;
using SendProxy.Sqlite;

namespace SendProxy.Queueing.Sqlite;

/// <summary>A name that is remembered.</summary>
/// <param name="Seq">Its place.</param>
/// <param name="Item">The item that had it first.</param>
/// <param name="Until">Unix milliseconds; then it may be had again.</param>
internal readonly record struct DedupeEntry(long Seq, Guid Item, long Until);

/// <summary>
/// Which names were seen, by scope; how many are counted in memory. Only the journal's thread uses it.
/// </summary>
internal sealed class DedupeIndex(QueueMetrics metrics)
{
    private const string Find = "SELECT seq, item, until FROM name WHERE head = ?1 AND rest = ?2 AND seq BETWEEN ?3 AND ?4";
    private const string Insert = "INSERT INTO name (seq, head, rest, item, until) VALUES (?1, ?2, ?3, ?4, ?5)";
    private const string Oldest = "SELECT seq, until FROM name WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq LIMIT ?3";
    private const string Newest = "SELECT max(seq) FROM name WHERE seq BETWEEN ?1 AND ?2";
    private const string Delete = "DELETE FROM name WHERE seq = ?1";
    private const string Scopes = "SELECT number, scope FROM dedupe_scope";
    private const string InsertScope = "INSERT INTO dedupe_scope (scope) VALUES (?1) RETURNING number";

    // From the index alone, which is a third of the table.
    private const string Counts = "SELECT seq >> 44, count(*) FROM name INDEXED BY name_head WHERE head >= x'' GROUP BY 1";

    private readonly Dictionary<string, Scope> _scopes = new(StringComparer.Ordinal);

    public void Load(SqliteSession session)
    {
        _scopes.Clear();
        var byNumber = new Dictionary<long, Scope>();
        using (var scopes = session.Query(Scopes))
        {
            while (scopes.Read())
            {
                byNumber.Add(scopes.Number(0), _scopes[scopes.Text(1)] = new Scope(scopes.Number(0)));
            }
        }

        using (var counts = session.Query(Counts))
        {
            while (counts.Read())
            {
                byNumber[counts.Number(0)].Count = counts.Number(1);
            }
        }

        foreach (var scope in byNumber.Values)
        {
            scope.Next = (session.Number(Newest, scope.First, scope.Last) ?? scope.First) + 1;
        }
    }

    /// <returns>Null for a name that nobody had; else who, though its window may be over.</returns>
    public DedupeEntry? Seen(SqliteSession session, DedupeKey key, DedupeKeyHash hash)
    {
        if (!_scopes.TryGetValue(key.Scope, out var scope))
        {
            return null;
        }

        using var found = session.Query(Find, hash.Head, hash.Rest, scope.First, scope.Last);
        return found.Read() ? new DedupeEntry(found.Number(0), new Guid(found.Bytes(1), bigEndian: true), found.Number(2)) : null;
    }

    /// <summary>Remembers a name; beyond the scope's bound the oldest is forgotten.</summary>
    /// <param name="session">Its transaction.</param>
    /// <param name="item">Has a dedupe key.</param>
    /// <param name="outlived">Who had it before, and too long ago.</param>
    /// <param name="now">Unix milliseconds.</param>
    public void Remember(SqliteSession session, SealedItem item, DedupeEntry? outlived, long now)
    {
        var (key, hash) = (item.Item.Dedupe!, item.DedupeHash!.Value);
        var scope = ScopeOf(session, key.Scope);
        if (outlived is { } old)
        {
            Forget(session, scope, old.Seq);
        }

        var until = now + (long)key.Window.TotalMilliseconds;
        session.Execute(Insert, scope.Next++, hash.Head, hash.Rest, item.Id.ToByteArray(bigEndian: true), until);
        Count(session, scope, 1);
        while (scope.Count > key.MaxIds)
        {
            var (seq, lasts) = OldestOf(session, scope, 1)[0];
            Forget(session, scope, seq);
            if (lasts > now)
            {
                var queue = item.Item.Queue;
                session.OnCommitted(() => metrics.DedupeEvicted(queue));
            }
        }
    }

    /// <summary>Forgets up to <paramref name="max"/> names whose window is over, oldest first.</summary>
    public int Sweep(SqliteSession session, long now, int max)
    {
        var forgotten = 0;
        foreach (var scope in _scopes.Values)
        {
            foreach (var (seq, until) in OldestOf(session, scope, max - forgotten))
            {
                if (until > now)
                {
                    break;
                }

                Forget(session, scope, seq);
                forgotten++;
            }
        }

        return forgotten;
    }

    private static List<(long Seq, long Until)> OldestOf(SqliteSession session, Scope scope, int max)
    {
        var oldest = new List<(long Seq, long Until)>();
        using var rows = session.Query(Oldest, scope.First, scope.Last, max);
        while (rows.Read())
        {
            oldest.Add((rows.Number(0), rows.Number(1)));
        }

        return oldest;
    }

    private static void Forget(SqliteSession session, Scope scope, long seq)
    {
        session.Execute(Delete, seq);
        Count(session, scope, -1);
    }

    private static void Count(SqliteSession session, Scope scope, int change)
    {
        scope.Count += change;
        session.OnRolledBack(() => scope.Count -= change);
    }

    private Scope ScopeOf(SqliteSession session, string name)
    {
        if (!_scopes.TryGetValue(name, out var scope))
        {
            scope = _scopes[name] = new Scope(session.Number(InsertScope, name)!.Value);
            session.OnRolledBack(() => _scopes.Remove(name));
        }

        return scope;
    }

    private sealed class Scope(long number)
    {
        private const int OrderBits = 44;

        public long First => number << OrderBits;

        public long Last => First | ((1L << OrderBits) - 1);

        public long Next { get; set; } = (number << OrderBits) + 1;

        public long Count { get; set; }
    }
}
