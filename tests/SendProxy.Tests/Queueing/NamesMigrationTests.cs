using System.Security.Cryptography;
using System.Text;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using SendProxy.Queueing;
using SendProxy.Queueing.Sqlite;
using SendProxy.Sqlite;
using SendProxy.Tests.Sqlite;

namespace SendProxy.Tests.Queueing;

/// <summary>A journal from before 0003_names.sql knows its names afterwards.</summary>
public sealed class NamesMigrationTests : IDisposable
{
    private const long Never = 4_102_444_800_000;
    private readonly JournalOptions _options = SqliteQueueUnderTest.NewOptions();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_options.Path)!, recursive: true);

    [Fact]
    public async Task Open_JournalOfSchemaTwo_StillKnowsWhatItSaw()
    {
        var (first, second, old) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        WriteSchemaTwo(("stripe", "evt_1", first, Never), ("sendapi", "evt_1", second, Never), ("sendapi", "evt_2", old, 1));

        var factory = Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry());
        await using var journal = SqliteJournal.Open(_options.ToSqlite(), new JournalMetrics(factory), TimeProvider.System);
        await using var queue = await SqliteMessageQueue.OpenAsync(_options, journal, factory, TimeProvider.System, NullLogger.Instance, Cancel);
        var results = await queue.EnqueueAsync(
            [Item("sendapi", "evt_1"), Item("stripe", "evt_1"), Item("sendapi", "evt_2"), Item("sendapi", "evt_3"), Item("sendapi", "evt_3")], Cancel);

        Assert.Equal(
            [EnqueueVerdict.Duplicate, EnqueueVerdict.Duplicate, EnqueueVerdict.Stored, EnqueueVerdict.Stored, EnqueueVerdict.Duplicate],
            results.Select(result => result.Verdict));
        Assert.Equal([second, first, results[3].Id], [results[0].Id, results[1].Id, results[4].Id]);
    }

    private static NewItem Item(string scope, string name) => new()
    {
        Queue = "events",
        Route = scope,
        Body = new byte[1],
        Dedupe = new DedupeKey(scope, name, TimeSpan.FromHours(48), 100),
    };

    private void WriteSchemaTwo(params (string Scope, string Name, Guid Item, long Until)[] names)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_options.Path)!);
        using var connection = new SqliteConnection($"Data Source={_options.Path};Pooling=False");
        connection.Open();
        foreach (var migration in new[] { "0001_queue.sql", "0002_idempotency.sql" })
        {
            using var reader = new StreamReader(typeof(SqliteJournal).Assembly.GetManifestResourceStream(migration)!);
            connection.Execute(reader.ReadToEnd());
        }

        connection.Execute("PRAGMA user_version = 2");
        foreach (var (scope, name, item, until) in names)
        {
            using var insert = connection.CreateCommand();
            insert.CommandText = "INSERT INTO dedupe (scope, hash, item, until) VALUES ($scope, $hash, $item, $until)";
            insert.Parameters.AddWithValue("$scope", scope);
            insert.Parameters.AddWithValue("$hash", SHA256.HashData(Encoding.UTF8.GetBytes(name)));
            insert.Parameters.AddWithValue("$item", item.ToByteArray(bigEndian: true));
            insert.Parameters.AddWithValue("$until", until);
            insert.ExecuteNonQuery();
        }
    }
}
