using Microsoft.Data.Sqlite;

namespace SendProxy.Tests.Sqlite;

internal static class SqliteCommands
{
    /// <summary>Runs statements that yield nothing.</summary>
    public static void Execute(this SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
