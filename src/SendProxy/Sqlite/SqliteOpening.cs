using System.Globalization;
using Microsoft.Data.Sqlite;

namespace SendProxy.Sqlite;

/// <summary>
/// Opens the journal's file, or says why not. No promise is taken on trust: what is set is read back.
/// </summary>
internal static class SqliteOpening
{
    // Up to this size a check after a crash takes some 100 ms; a larger file relies on SQLite's own recovery.
    private const long QuickCheckMaxBytes = 32L << 20;
    private const int BusySeconds = 1;

    /// <returns>A connection that holds the file's lock, at the newest schema.</returns>
    /// <exception cref="JournalUnavailableException">With path, reason and remedy.</exception>
    public static SqliteConnection Open(SqliteJournalOptions options)
    {
        var path = Path.GetFullPath(options.Path);
        try
        {
            var crashed = new FileInfo(path + "-wal") is { Exists: true, Length: > 0 };
            CreateFile(path);
            return OpenLocked(path, options.MaxBytes, crashed);
        }
        catch (SqliteException e)
        {
            throw new JournalUnavailableException(path, SqliteFaults.Explain(e, ReadHolder(path)), e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JournalUnavailableException(path, "cannot be written; check the directory's owner and mode", e);
        }
    }

    public static string HolderPath(string path) => path + ".pid";

    private static SqliteConnection OpenLocked(string path, long maxBytes, bool crashed)
    {
        // No pool: the lock must end when the connection is disposed.
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Pooling = false,
            ForeignKeys = false,
            DefaultTimeout = BusySeconds,
        }.ToString());
        try
        {
            connection.Open();
            Configure(connection, path, maxBytes);
            if (crashed && new FileInfo(path).Length <= QuickCheckMaxBytes
                && SqlitePragma.Text(connection, "quick_check(1)") is not "ok")
            {
                throw new SqliteException("quick_check found damage.", SqliteFaults.Corrupt);
            }

            SqliteSchema.Migrate(connection, path);
            File.WriteAllText(HolderPath(path), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Configure(SqliteConnection connection, string path, long maxBytes)
    {
        SqlitePragma.Set(connection, "busy_timeout", (BusySeconds * 1000).ToString(CultureInfo.InvariantCulture));

        // Before WAL: then the index of the log is in this process's memory, and no second process can read it.
        SqlitePragma.Set(connection, "locking_mode", "EXCLUSIVE");
        SqlitePragma.Set(connection, "journal_mode", "WAL");
        SqlitePragma.Set(connection, "synchronous", "FULL");
        SqlitePragma.Set(connection, "cache_size", "-8192");
        SqlitePragma.Set(connection, "temp_store", "MEMORY");
        SqlitePragma.Set(connection, "wal_autocheckpoint", "1000");
        SqlitePragma.Set(connection, "journal_size_limit", "67108864");
        var pageBytes = SqlitePragma.Number(connection, "page_size");
        SqlitePragma.Set(
            connection, "max_page_count", (maxBytes / pageBytes).ToString(CultureInfo.InvariantCulture));
        TakeLock(connection);
        ReadBack(connection, path, "journal_mode", "wal");
        ReadBack(connection, path, "synchronous", "2");
        ReadBack(connection, path, "locking_mode", "exclusive");
    }

    private static void TakeLock(SqliteConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "BEGIN EXCLUSIVE; COMMIT;";
        command.ExecuteNonQuery();
    }

    private static void ReadBack(SqliteConnection connection, string path, string name, string wanted)
    {
        var actual = SqlitePragma.Text(connection, name);
        if (actual != wanted)
        {
            throw new JournalUnavailableException(
                path, $"would not keep what it acknowledges: {name} is {actual}, not {wanted}; use a local disk");
        }
    }

    // Before SQLite opens it, and never opened again by this process: closing any descriptor of the file would drop
    // SQLite's locks (sqlite.org/howtocorrupt.html, 2.2). SQLite gives its -wal file the same mode.
    private static void CreateFile(string path)
    {
        var directory = Path.GetDirectoryName(path)!;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
            return;
        }

        const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
        if (!File.Exists(path))
        {
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = OwnerOnly,
            };
            using var file = new FileStream(path, options);
        }
        else if (File.GetUnixFileMode(path) != OwnerOnly)
        {
            File.SetUnixFileMode(path, OwnerOnly);
        }
    }

    private static string? ReadHolder(string path)
    {
        try
        {
            return File.ReadAllText(HolderPath(path)).Trim();
        }
        catch (IOException)
        {
            return null;
        }
    }
}
