using SendProxy.Sqlite;

namespace SendProxy.Queueing;

/// <summary>
/// Which names were seen, by scope; how many are counted in memory. Only the journal's thread uses it.
/// </summary>
internal sealed class DedupeBook(QueueMetrics metrics)
{
    private const string Find = "SELECT item, until, seq FROM dedupe WHERE scope = $1 AND hash = $2";
    private const string Insert = "INSERT INTO dedupe (scope, hash, item, until) VALUES ($1, $2, $3, $4)";
    private const string Oldest = "SELECT seq, until FROM dedupe WHERE scope = $1 ORDER BY seq LIMIT $2";
    private const string Delete = "DELETE FROM dedupe WHERE seq = $1";
    private const string Counts = "SELECT scope, count(*) FROM dedupe GROUP BY scope";

    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);

    public void Load(SqliteSession session)
    {
        using var counts = session.Query(Counts);
        while (counts.Read())
        {
            _counts[counts.GetString(0)] = counts.GetInt64(1);
        }
    }

    /// <returns>The item that had this name first, or null when it is new or its window is over.</returns>
    public static Guid? Seen(SqliteSession session, DedupeKey key, byte[] hash, long now)
    {
        using var found = session.Query(Find, key.Scope, hash);
        return found.Read() && found.GetInt64(1) > now
            ? new Guid(found.GetFieldValue<byte[]>(0), bigEndian: true)
            : null;
    }

    /// <summary>Remembers a name that was not seen; beyond the scope's bound the oldest is forgotten.</summary>
    public void Remember(SqliteSession session, DedupeKey key, byte[] hash, SealedItem item, long now)
    {
        if (Outlived(session, key, hash) is { } outlived)
        {
            Forget(session, key.Scope, outlived);
        }

        var until = now + (long)key.Window.TotalMilliseconds;
        session.Execute(Insert, key.Scope, hash, item.Id.ToByteArray(bigEndian: true), until);
        Count(session, key.Scope, 1);
        while (_counts[key.Scope] > key.MaxIds)
        {
            var (seq, lasts) = OldestOf(session, key.Scope, 1)[0];
            Forget(session, key.Scope, seq);
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
        foreach (var scope in _counts.Keys.ToArray())
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

    private static long? Outlived(SqliteSession session, DedupeKey key, byte[] hash)
    {
        using var found = session.Query(Find, key.Scope, hash);
        return found.Read() ? found.GetInt64(2) : null;
    }

    private static List<(long Seq, long Until)> OldestOf(SqliteSession session, string scope, int max)
    {
        var oldest = new List<(long Seq, long Until)>();
        using var rows = session.Query(Oldest, scope, max);
        while (rows.Read())
        {
            oldest.Add((rows.GetInt64(0), rows.GetInt64(1)));
        }

        return oldest;
    }

    private void Forget(SqliteSession session, string scope, long seq)
    {
        session.Execute(Delete, seq);
        Count(session, scope, -1);
    }

    private void Count(SqliteSession session, string scope, int change)
    {
        _counts[scope] = _counts.GetValueOrDefault(scope) + change;
        session.OnRolledBack(() => _counts[scope] -= change);
    }
}
