using Microsoft.Data.Sqlite;
using SendProxy.Secrets.Sealing;

namespace SendProxy.Queueing.Sqlite;

/// <summary>Looks into a journal's file without a lock, and without changing a byte: while no process has it open.</summary>
internal static class JournalPeek
{
    /// <returns>False only where the file shows that nothing is stored.</returns>
    public static bool MayHaveItems(string path) => Read(path, "SELECT 1 FROM item LIMIT 1", row => row.HasRows ? 1 : 0) is not 0;

    /// <returns>How many items each seal key is needed for; null where the file does not tell.</returns>
    public static IReadOnlyList<SealKeyUse>? SealKeys(string path) => Read<IReadOnlyList<SealKeyUse>>(path, SealKeySql.Counts, rows =>
    {
        var found = new List<SealKeyUse>();
        while (rows.Read())
        {
            var id = (byte[])rows.GetValue(0);
            found.Add(new SealKeyUse(id.Length < SealKeyId.Bytes ? default : SealKeyId.Read(id), rows.GetInt64(1), null));
        }

        return found;
    });

    private static T? Read<T>(string path, string query, Func<SqliteDataReader, T> read)
    {
        var (main, log) = (new FileInfo(path), new FileInfo(path + "-wal"));
        if (log is { Exists: true, Length: > 0 })
        {
            // What was stored last is in there, and only a process that has the lock may read it.
            return default;
        }

        try
        {
            // Immutable: no lock is taken and no file is made beside it. A new file is a database without tables.
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder
            {
                DataSource = main is { Exists: true, Length: > 0 } ? $"file:{Uri.EscapeDataString(main.FullName)}?immutable=1" : ":memory:",
                Mode = main is { Exists: true, Length: > 0 } ? SqliteOpenMode.ReadOnly : SqliteOpenMode.Memory,
                Pooling = false,
            }.ToString());
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT count(*) FROM sqlite_master WHERE name = 'item'";
            var isJournal = command.ExecuteScalar() is > 0L;
            command.CommandText = isJournal ? query : "SELECT 1 WHERE 0";
            using var rows = command.ExecuteReader();
            return read(rows);
        }
        catch (SqliteException)
        {
            return default;
        }
    }
}
