using Microsoft.Data.Sqlite;

namespace SendProxy.Sqlite;

/// <summary>
/// One connection with its prepared statements and its transaction. Only the journal's thread uses it. What a work item
/// keeps in memory beside the tables it undoes with <see cref="OnRolledBack"/>, so that both agree after any failure.
/// </summary>
internal sealed class SqliteSession(SqliteConnection connection, string path) : IDisposable
{
    // Of transactions, from one count of the pages in use to the next: it takes two statements.
    private const int CountEvery = 64;

    // By reference: a statement is a constant, and hashing its text on each call would cost as much as running it.
    private readonly Dictionary<string, SqliteStatement> _prepared = new(ReferenceEqualityComparer.Instance);
    private readonly List<Action> _undo = [];
    private readonly List<Action> _committed = [];
    private readonly long _pageBytes = SqlitePragma.Number(connection, "page_size");
    private long? _usedBytes;
    private int _begunSinceCount;
    private int _savedUndo;
    private int _savedCommitted;

    /// <summary>Runs a statement with parameters <c>?1</c> to <c>?n</c>.</summary>
    /// <returns>Rows changed.</returns>
    public int Execute(string sql, params ReadOnlySpan<SqliteValue> values)
    {
        using var rows = Query(sql, values);
        while (rows.Read())
        {
        }

        return SQLitePCL.raw.sqlite3_changes(connection.Handle);
    }

    /// <returns>The first column of the first row; null when there is no row or it is NULL.</returns>
    public long? Number(string sql, params ReadOnlySpan<SqliteValue> values)
    {
        using var rows = Query(sql, values);
        return rows.Read() ? rows.NumberOrNull(0) : null;
    }

    /// <summary>To be disposed before the same statement runs again.</summary>
    public SqliteRows Query(string sql, params ReadOnlySpan<SqliteValue> values)
    {
        if (!_prepared.TryGetValue(sql, out var statement))
        {
            statement = new SqliteStatement(connection.Handle!, sql);
            _prepared.Add(sql, statement);
        }

        statement.Bind(values);
        return new SqliteRows(statement);
    }

    /// <summary>Called, last first, when the work item or its batch is rolled back.</summary>
    public void OnRolledBack(Action undo) => _undo.Add(undo);

    /// <summary>Called after the commit is synced, before the callers are told.</summary>
    public void OnCommitted(Action callback) => _committed.Add(callback);

    /// <summary>Bytes of pages in use: as counted within the last transactions, and what was told to be added since.</summary>
    public long UsedBytes => _usedBytes ??= _pageBytes
        * (Number("PRAGMA page_count")!.Value - Number("PRAGMA freelist_count")!.Value);

    public void AddUsedBytes(long bytes) => _usedBytes = UsedBytes + bytes;

    /// <summary>Pages may have been given back: the next look counts them anew.</summary>
    public void ForgetUsedBytes() => _usedBytes = null;

    public void Begin()
    {
        if (++_begunSinceCount >= CountEvery)
        {
            (_begunSinceCount, _usedBytes) = (0, null);
        }

        Execute("BEGIN IMMEDIATE");
    }

    public void Commit()
    {
        Execute("COMMIT");
        _undo.Clear();
        foreach (var callback in _committed)
        {
            callback();
        }

        _committed.Clear();
    }

    /// <summary>Everything since <see cref="Begin"/>. SQLite may have done it by itself already (full, I/O).</summary>
    public void Rollback()
    {
        Undo(0);
        _committed.Clear();
        if (SQLitePCL.raw.sqlite3_get_autocommit(connection.Handle) != 0)
        {
            return;
        }

        try
        {
            Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
            // sqlite.org/lang_transaction.html: a rollback that reports an error has ended the transaction all the
            // same.
        }
    }

    public void Save()
    {
        (_savedUndo, _savedCommitted) = (_undo.Count, _committed.Count);
        Execute("SAVEPOINT item");
    }

    public void ReleaseSaved() => Execute("RELEASE item");

    public void RollbackToSaved()
    {
        Undo(_savedUndo);
        _committed.RemoveRange(_savedCommitted, _committed.Count - _savedCommitted);
        Execute("ROLLBACK TO item");
        Execute("RELEASE item");
    }

    /// <summary>Runs a part of a work item. When it yields false, all that it did is undone, in the tables and in memory.</summary>
    public bool TryPart(Func<bool> part)
    {
        var (undo, committed) = (_undo.Count, _committed.Count);
        Execute("SAVEPOINT part");
        var done = part();
        if (!done)
        {
            Undo(undo);
            _committed.RemoveRange(committed, _committed.Count - committed);
            Execute("ROLLBACK TO part");
        }

        Execute("RELEASE part");
        return done;
    }

    public void Dispose()
    {
        foreach (var statement in _prepared.Values)
        {
            statement.Dispose();
        }

        SqliteOpening.Close(connection, path);
    }

    private void Undo(int downTo)
    {
        for (var i = _undo.Count - 1; i >= downTo; i--)
        {
            _undo[i]();
        }

        _undo.RemoveRange(downTo, _undo.Count - downTo);
        _usedBytes = null;
    }
}
