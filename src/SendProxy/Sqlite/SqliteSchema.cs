using System.Globalization;
using System.Reflection;
using Microsoft.Data.Sqlite;

namespace SendProxy.Sqlite;

/// <summary>
/// The journal's schema: embedded files <c>NNNN_name.sql</c>, each run once, in order, its number then standing in
/// <c>user_version</c>. A room adds a file of its own and never changes one that was released.
/// </summary>
internal static class SqliteSchema
{
    /// <summary>Brings the file to the newest version, each migration in a transaction of its own.</summary>
    /// <exception cref="JournalUnavailableException">A newer program has written the file.</exception>
    public static void Migrate(SqliteConnection connection, string path)
    {
        var migrations = Migrations();
        var version = SqlitePragma.Number(connection, "user_version");
        if (version > migrations.Count)
        {
            throw new JournalUnavailableException(
                path, $"has schema {version}, and this program knows {migrations.Count}: it was written by a newer "
                + "one. Run that version, or restore the file that was there before the upgrade");
        }

        for (var next = (int)version; next < migrations.Count; next++)
        {
            using var transaction = connection.BeginTransaction();
            using var command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = $"{migrations[next]}\nPRAGMA user_version = {next + 1};";
            command.ExecuteNonQuery();
            transaction.Commit();
        }
    }

    private static List<string> Migrations()
    {
        var assembly = typeof(SqliteSchema).Assembly;
        var names = assembly.GetManifestResourceNames()
            .Where(name => name.EndsWith(".sql", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .ToArray();
        for (var i = 0; i < names.Length; i++)
        {
            if (!names[i].StartsWith((i + 1).ToString("0000_", CultureInfo.InvariantCulture), StringComparison.Ordinal))
            {
                throw new InvalidOperationException($"{names[i]} stands where migration {i + 1} belongs.");
            }
        }

        return [.. names.Select(name => Read(assembly, name))];
    }

    private static string Read(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
