using Prometheus;
using SendProxy.Sqlite;

namespace SendProxy.Tests.Sqlite;

/// <summary>A journal on a file of its own, with one table of numbers.</summary>
internal sealed class JournalUnderTest : IAsyncDisposable
{
    private readonly CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();

    private JournalUnderTest(SqliteJournalOptions options)
    {
        Journal = SqliteJournal.Open(
            options, new JournalMetrics(Prometheus.Metrics.WithCustomRegistry(_registry)), TimeProvider.System);
        Options = options;
    }

    public SqliteJournal Journal { get; }

    public SqliteJournalOptions Options { get; }

    public static SqliteJournalOptions NewOptions() => new()
    {
        Path = Path.Combine(Directory.CreateTempSubdirectory("sendproxy-journal").FullName, "data", "journal.db"),
        AllowEphemeral = true,
    };

    public static async Task<JournalUnderTest> OpenAsync(SqliteJournalOptions options)
    {
        var opened = new JournalUnderTest(options);
        await opened.WriteAsync(
            session => session.Execute("CREATE TABLE IF NOT EXISTS number (n INTEGER PRIMARY KEY, b BLOB)"));
        return opened;
    }

    public Task<JournalResult<T>> WriteAsync<T>(Func<SqliteSession, T> work) =>
        Journal.WriteAsync(work, 0, CancellationToken.None);

    public Task<JournalResult<int>> InsertAsync(int number, int bytes = 0) =>
        WriteAsync(session => session.Execute("INSERT INTO number (n, b) VALUES (?1, zeroblob(?2))", number, bytes));

    public async Task<long[]> NumbersAsync() => (await Journal.ReadAsync(
        session =>
        {
            var numbers = new List<long>();
            using var rows = session.Query("SELECT n FROM number ORDER BY n");
            while (rows.Read())
            {
                numbers.Add(rows.Number(0));
            }

            return numbers.ToArray();
        },
        CancellationToken.None)).Value!;

    public async Task<string> ScrapeAsync()
    {
        using var stream = new MemoryStream();
        await _registry.CollectAndExportAsTextAsync(stream);
        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        await Journal.DisposeAsync();
        Directory.Delete(Path.GetDirectoryName(Path.GetDirectoryName(Options.Path))!, recursive: true);
    }
}
