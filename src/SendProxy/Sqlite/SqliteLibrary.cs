using Microsoft.Data.Sqlite;

namespace SendProxy.Sqlite;

/// <summary>SQLite itself, which is a file of its own beside the executable: who copies the executable alone has none.</summary>
internal static class SqliteLibrary
{
    /// <returns>Why the journal cannot be used, with the remedy; null where the library is there.</returns>
    public static string? Problem()
    {
        try
        {
            using var connection = new SqliteConnection("Data Source=:memory:");
            return null;
        }
        catch (Exception e) when (Inner(e) is DllNotFoundException or BadImageFormatException)
        {
            return $"needs libe_sqlite3.so beside the executable, in {AppContext.BaseDirectory}: copy both files of the publish folder; "
                + "or do without a journal: journal: { kind: none } and no webhooks";
        }
    }

    private static Exception Inner(Exception exception) => exception.InnerException is { } inner ? Inner(inner) : exception;
}
