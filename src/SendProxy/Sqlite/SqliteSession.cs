using Microsoft.Data.Sqlite;

namespace SendProxy.Sqlite;

/// <summary>
/// One connection with its prepared statements and its transaction. Only the journal's thread uses it. What a work item
/// keeps in memory beside the tables it undoes with <see cref="OnRolledBack"/>, so that both agree after any failure.
/// </summary>
internal sealed class SqliteSession(SqliteConnection connection) : IDisposable
{
    // By reference: a statement is a constant, and hashing its text on each call would cost as much as running it.
    private readonly Dictionary<string, SqliteCommand> _prepared = new(ReferenceEqualityComparer.Instance);
    private readonly List<Action> _undo = [];
    private readonly List<Action> _committed = [];
    private readonly long _pageBytes = SqlitePragma.Number(connection, "page_size");
    private long? _usedBytes;
    private int _savedUndo;
    private int _savedCommitted;

    /// <summary>Runs a statement with parameters <c>$1</c> to <c>$n</c>; null is NULL.</summary>
    /// <returns>Rows changed.</returns>
    public int Execute(string sql, params ReadOnlySpan<object?> values) => Bind(sql, values).ExecuteNonQuery();

    /// <returns>The first column of the first row; null when there is no row or it is NULL.</returns>
    public object? Scalar(string sql, params ReadOnlySpan<object?> values) =>
        Bind(sql, values).ExecuteScalar() is { } value and not DBNull ? value : null;

    /// <summary>To be disposed before the same statement runs again.</summary>
    public SqliteDataReader Query(string sql, params ReadOnlySpan<object?> values) => Bind(sql, values).ExecuteReader();

    /// <summary>Called, last first, when the work item or its batch is rolled back.</summary>
    public void OnRolledBack(Action undo) => _undo.Add(undo);

    /// <summary>Called after the commit is synced, before the callers are told.</summary>
    public void OnCommitted(Action told) => _committed.Add(told);

    /// <summary>
    /// Bytes of pages in use, as of the begin of the transaction, and what was told to be added since.
    /// </summary>
    public long UsedBytes => _usedBytes ??= _pageBytes
        * ((long)Scalar("PRAGMA page_count")! - (long)Scalar("PRAGMA freelist_count")!);

    public void AddUsedBytes(long bytes) => _usedBytes = UsedBytes + bytes;

    /// <summary>Pages were given back: the next look counts them anew.</summary>
    public void ForgetUsedBytes() => _usedBytes = null;

    public void Begin()
    {
        _usedBytes = null;
        Execute("BEGIN IMMEDIATE");
    }

    public void Commit()
    {
        Execute("COMMIT");
        _undo.Clear();
        foreach (var told in _committed)
        {
            told();
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

    public void Dispose()
    {
        foreach (var command in _prepared.Values)
        {
            command.Dispose();
        }

        connection.Dispose();
    }

    private void Undo(int downTo)
    {
        for (var i = _undo.Count - 1; i >= downTo; i--)
        {
            _undo[i]();
        }

        _undo.RemoveRange(downTo, _undo.Count - downTo);
    }

    private SqliteCommand Bind(string sql, ReadOnlySpan<object?> values)
    {
        if (!_prepared.TryGetValue(sql, out var command))
        {
            command = Prepare(sql, values.Length);
            _prepared.Add(sql, command);
        }

        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        }

        return command;
    }

    private SqliteCommand Prepare(string sql, int parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 1; i <= parameters; i++)
        {
            command.Parameters.Add(new SqliteParameter($"${i}", DBNull.Value));
        }

        return command;
    }
}
