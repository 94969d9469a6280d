using Prometheus;
using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;

namespace SendProxy.Queueing;

/// <summary>Opens the journal where the configuration needs one, and closes it last.</summary>
/// <param name="needed">False: no file is made, and nobody may ask for the queue.</param>
internal sealed class JournalKeeper(JournalOptions options, bool needed, JournalMetrics journalMetrics, IMetricFactory metrics, TimeProvider time)
    : IAsyncDisposable
{
    private SqliteJournal? _journal;
    private SqliteMessageQueue? _queue;
    private QueueError? _failing;

    public bool IsNeeded => needed;

    public bool IsOpen => _queue is not null;

    /// <exception cref="InvalidOperationException">It is not open: a defect.</exception>
    public IMessageQueue Queue => _queue ?? throw new InvalidOperationException("The journal is not open.");

    /// <summary>Opens it if it is needed and not open yet. Before anything that uses it starts.</summary>
    /// <exception cref="JournalUnavailableException">With path, reason and remedy.</exception>
    /// <exception cref="SealKeyUnavailableException">With path, reason and remedy.</exception>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        if (!needed || IsOpen)
        {
            return;
        }

        _journal = SqliteJournal.Open(options.ToSqlite(), journalMetrics, time);
        _queue = await SqliteMessageQueue.OpenAsync(options, _journal, metrics, time, cancellation);
    }

    /// <summary>Tells how the last use of the store went; null: well.</summary>
    public void Observe(QueueError? error) => _failing = error;

    /// <returns>Null while it takes items, or where none is needed; else a short reason.</returns>
    public string? NotReady() => !needed ? null
        : !IsOpen ? "the journal is not open yet"
        : _failing switch
        {
            null => null,
            QueueError.StoreFull => "the journal's disk is full",
            QueueError.StoreFailed => "the journal fails",
            _ => "the journal is closed",
        };

    public async ValueTask DisposeAsync()
    {
        if (_queue is not null)
        {
            await _queue.DisposeAsync();
        }

        if (_journal is not null)
        {
            await _journal.DisposeAsync();
        }
    }
}
