using System.Globalization;
using Microsoft.Data.Sqlite;

namespace SendProxy.Sqlite;

/// <summary>
/// Opens the journal's file, or says why not. No promise is taken on trust: what is set is read back.
/// </summary>
internal static class SqliteOpening
{
    // Up to this size a check takes some 100 ms. Of a larger file the stored items are checked one by one while it is in use.
    private const long QuickCheckMaxBytes = 32L << 20;
    private const int BusySeconds = 1;

    // From this version of the schema on the file has its generation in it.
    private const int GenerationSchema = 5;

    /// <inheritdoc cref="Open"/>
    public static SqliteSession OpenSession(SqliteJournalOptions options) => new(Open(options), Path.GetFullPath(options.Path));

    /// <returns>A connection that holds the file's lock, at the newest schema.</returns>
    /// <exception cref="JournalUnavailableException">With path, reason and remedy.</exception>
    public static SqliteConnection Open(SqliteJournalOptions options)
    {
        var path = Path.GetFullPath(options.Path);
        try
        {
            var beside = JournalGeneration.Read(path);
            JournalLoss.RefuseBeforeOpening(path, beside);
            CreateFile(path);
            return OpenLocked(path, options.MaxBytes, beside);
        }
        catch (SqliteException e)
        {
            throw new JournalUnavailableException(path, SqliteFaults.Explain(e, ReadHolder(path)), e) { IsDiskFull = SqliteFaults.IsDiskFull(e) };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw SqliteFaults.IsDiskFull(e)
                ? new JournalUnavailableException(path, "cannot be opened because the disk is full; make space", e) { IsDiskFull = true }
                : new JournalUnavailableException(path, "cannot be written; check the directory's owner and mode", e);
        }
    }

    public static string HolderPath(string path) => path + ".pid";

    /// <summary>Closes the file, and notes beside it that it is whole without its write-ahead log.</summary>
    public static void Close(SqliteConnection connection, string path)
    {
        var isWhole = false;
        try
        {
            // Before the note, so that a crash between the two leaves no note that asks for a log that is gone.
            isWhole = SqlitePragma.Number(connection, "wal_checkpoint(TRUNCATE)") == 0;
            NoteClosed(path, isWhole);
        }
        catch (Exception e) when (e is SqliteException or IOException or UnauthorizedAccessException)
        {
            // The disk is full or fails: the log stays, and the next start reads it.
        }

        connection.Dispose();
        NoteClosed(path, !isWhole && !File.Exists(path + "-wal"));
    }

    private static void NoteClosed(string path, bool isWhole)
    {
        if (!isWhole || JournalGeneration.Read(path) is not { } beside)
        {
            return;
        }

        try
        {
            (beside with { IsRunning = false }).Write(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is told at the next start that the log is gone, which is better than not to notice one that is lost.
        }
    }

    private static SqliteConnection OpenLocked(string path, long maxBytes, JournalGeneration? beside)
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
            if (new FileInfo(path).Length <= QuickCheckMaxBytes
                && SqlitePragma.Text(connection, "quick_check(1)") is not "ok")
            {
                throw new SqliteException("quick_check found damage.", SqliteFaults.Corrupt);
            }

            JournalLoss.RefuseAnother(path, GenerationOf(connection), beside);
            SqliteSchema.Migrate(connection, path);
            NextGeneration(connection).Write(path);
            File.WriteAllText(HolderPath(path), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // Null for a file that is new.
    private static (Guid Journal, long Number)? GenerationOf(SqliteConnection connection)
    {
        var version = SqlitePragma.Number(connection, "user_version");
        if (version < GenerationSchema)
        {
            return version == 0 ? null : (Guid.Empty, 0);
        }

        using var command = connection.CreateCommand();
        command.CommandText = "SELECT journal, number FROM generation";
        using var row = command.ExecuteReader();
        return row.Read() ? (Guid.Parse(row.GetString(0)), row.GetInt64(1)) : (Guid.Empty, 0);
    }

    // Committed before it is noted beside the file: the write-ahead log is there and not empty from then on.
    private static JournalGeneration NextGeneration(SqliteConnection connection)
    {
        var (journal, number) = GenerationOf(connection) is { Number: > 0 } stored ? stored : (Guid.NewGuid(), 0);
        using var command = connection.CreateCommand();
        command.CommandText = "BEGIN IMMEDIATE; DELETE FROM generation; INSERT INTO generation (journal, number) VALUES ($journal, $number); COMMIT;";
        command.Parameters.AddWithValue("$journal", journal.ToString());
        command.Parameters.AddWithValue("$number", number + 1);
        command.ExecuteNonQuery();
        return new JournalGeneration(journal, number + 1, IsRunning: true);
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
        if (!Directory.Exists(directory))
        {
            Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);

            // A umask takes bits away, also one that another thread sets for the moment in which it binds a socket.
            File.SetUnixFileMode(directory, OwnerOnly | UnixFileMode.UserExecute);
        }

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
