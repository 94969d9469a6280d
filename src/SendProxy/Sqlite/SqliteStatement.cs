using System.Text;
using Microsoft.Data.Sqlite;
using static SQLitePCL.raw;

namespace SendProxy.Sqlite;

/// <summary>
/// A statement that is prepared once and run often. Straight on SQLitePCL: SqliteCommand looks each parameter up by its name and
/// makes a reader for each run, which took as long as SQLite itself (docs/decisions/0025-way-in.md).
/// </summary>
internal sealed class SqliteStatement : IDisposable
{
    private const int StackBytes = 512;
    private readonly SQLitePCL.sqlite3 _database;
    private readonly SQLitePCL.sqlite3_stmt _statement;

    /// <exception cref="SqliteException">It cannot be prepared.</exception>
    public SqliteStatement(SQLitePCL.sqlite3 database, string sql)
    {
        _database = database;
        SqliteException.ThrowExceptionForRC(sqlite3_prepare_v3(database, sql, SQLITE_PREPARE_PERSISTENT, out _statement), database);
    }

    /// <summary>Binds <c>?1</c> to <c>?n</c>.</summary>
    public void Bind(ReadOnlySpan<SqliteValue> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            SqliteException.ThrowExceptionForRC(Bind(i + 1, values[i]), _database);
        }
    }

    /// <returns>Whether it stands on a row; false at the end.</returns>
    /// <exception cref="SqliteException">The statement failed; it is reset.</exception>
    public bool Step()
    {
        var code = sqlite3_step(_statement);
        if (code is SQLITE_ROW or SQLITE_DONE)
        {
            return code == SQLITE_ROW;
        }

        Reset();
        SqliteException.ThrowExceptionForRC(code, _database);
        return false;
    }

    /// <summary>Ends a run. Its error, if it had one, was thrown by <see cref="Step"/>.</summary>
    public void Reset() => _ = sqlite3_reset(_statement);

    public bool IsNull(int column) => sqlite3_column_type(_statement, column) == SQLITE_NULL;

    public long Number(int column) => sqlite3_column_int64(_statement, column);

    // By its bytes, which are UTF-8 in this file: as a C string it would end at the first U+0000.
    public string Text(int column) => Encoding.UTF8.GetString(sqlite3_column_blob(_statement, column));

    public byte[] Bytes(int column) => sqlite3_column_blob(_statement, column).ToArray();

    public void Dispose() => _statement.Dispose();

    private int Bind(int index, SqliteValue value) => value.Type switch
    {
        SqliteType.Number => sqlite3_bind_int64(_statement, index, value.Number),
        SqliteType.Text => BindText(index, value.Text),

        // An empty span has no address, and no address is NULL.
        SqliteType.Bytes when value.Bytes.Length == 0 => sqlite3_bind_zeroblob(_statement, index, 0),
        SqliteType.Bytes => sqlite3_bind_blob(_statement, index, value.Bytes),
        _ => sqlite3_bind_null(_statement, index),
    };

    // As bytes: a C string would end at the first U+0000. An empty span, again, would be NULL.
    private int BindText(int index, string text)
    {
        Span<byte> stack = stackalloc byte[StackBytes];
        return text.Length == 0 ? sqlite3_bind_text(_statement, index, "")
            : text.Length > StackBytes / 3 ? sqlite3_bind_text(_statement, index, Encoding.UTF8.GetBytes(text))
            : sqlite3_bind_text(_statement, index, stack[..Encoding.UTF8.GetBytes(text, stack)]);
    }
}

/// <summary>The rows of one run. To be disposed before the same statement runs again.</summary>
internal readonly ref struct SqliteRows(SqliteStatement statement)
{
    /// <summary>Goes to the next row, the first one to begin with.</summary>
    /// <exception cref="SqliteException">The statement failed.</exception>
    public bool Read() => statement.Step();

    public bool IsNull(int column) => statement.IsNull(column);

    public long Number(int column) => statement.Number(column);

    public int Int(int column) => (int)statement.Number(column);

    public string Text(int column) => statement.Text(column);

    public byte[] Bytes(int column) => statement.Bytes(column);

    public string? TextOrNull(int column) => statement.IsNull(column) ? null : statement.Text(column);

    public long? NumberOrNull(int column) => statement.IsNull(column) ? null : statement.Number(column);

    public byte[]? BytesOrNull(int column) => statement.IsNull(column) ? null : statement.Bytes(column);

    public void Dispose() => statement.Reset();
}
