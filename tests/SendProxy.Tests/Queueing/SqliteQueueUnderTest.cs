using Microsoft.Extensions.Logging.Abstractions;
using SendProxy.Queueing;
using SendProxy.Queueing.Sqlite;
using SendProxy.Sqlite;

namespace SendProxy.Tests.Queueing;

/// <summary>
/// A queue on a SQLite file of its own, in memory where that is possible: what is tested here needs no disk.
/// </summary>
internal sealed class SqliteQueueUnderTest : QueueUnderTest
{
    private readonly JournalOptions _options;
    private SqliteJournal? _journal;
    private SqliteMessageQueue? _queue;

    private SqliteQueueUnderTest(JournalOptions options)
    {
        _options = options;
    }

    public override IMessageQueue Queue => _queue!;

    public SendProxy.Secrets.Sealing.SealKeys SealKeys => _queue!.Sealing.Keys;

    public SqliteJournal Journal => _journal!;

    public static JournalOptions NewOptions()
    {
        var parent = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        return new JournalOptions
        {
            Path = Path.Combine(parent, $"sendproxy-{Guid.NewGuid():n}", "journal.db"),
            AllowEphemeral = true,
            Minimum = Durability.Memory,
        };
    }

    public static async Task<SqliteQueueUnderTest> OpenAsync(JournalOptions options)
    {
        var opened = new SqliteQueueUnderTest(options);
        await opened.StartAsync();
        return opened;
    }

    public override async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(Path.GetDirectoryName(_options.Path)!, recursive: true);
    }

    private async Task StartAsync()
    {
        // The registry keeps its collectors over a restart, and gives the same ones again by name.
        var factory = Prometheus.Metrics.WithCustomRegistry(Registry);
        _journal = SqliteJournal.Open(_options.ToSqlite(), new JournalMetrics(factory), TimeProvider.System);
        _queue = await SqliteMessageQueue.OpenAsync(_options, _journal, factory, Time, NullLogger.Instance, CancellationToken.None);
    }

    private async Task StopAsync()
    {
        await _queue!.DisposeAsync();
        await _journal!.DisposeAsync();
    }
}
