using System.Globalization;
using Microsoft.Data.Sqlite;

namespace SendProxy.Sqlite;

/// <summary>Settings of a connection. Names and values are constants of the program, never input.</summary>
internal static class SqlitePragma
{
    public static void Set(SqliteConnection connection, string name, string value) =>
        _ = Text(connection, $"{name} = {value}");

    public static string Text(SqliteConnection connection, string name)
    {
        using var command = connection.CreateCommand();
        command.CommandText = $"PRAGMA {name};";
        return Convert.ToString(command.ExecuteScalar(), CultureInfo.InvariantCulture) ?? "";
    }

    public static long Number(SqliteConnection connection, string name) =>
        long.Parse(Text(connection, name), CultureInfo.InvariantCulture);
}
