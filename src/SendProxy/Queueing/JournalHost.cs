using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;

namespace SendProxy.Queueing;

/// <summary>A queue and what is to be closed with it.</summary>
/// <param name="Keys">Where idempotency keys are kept beside the items; null where the store has no place for them.</param>
/// <param name="SealKeys">What seals and opens its items.</param>
internal sealed record OpenedJournal(IMessageQueue Queue, IAsyncDisposable Store, SealKeys SealKeys, SealedJournalFile? Keys = null) : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        await Queue.DisposeAsync();
        await Store.DisposeAsync();
    }
}

/// <summary>The journal's file and what seals in it, for records that belong beside its items.</summary>
internal sealed record SealedJournalFile(SqliteJournal Journal, ItemSeal Seal);

/// <summary>Opens the journal where the configuration needs one, and closes it last.</summary>
/// <param name="needed">False: no file is made, and nobody may ask for the queue.</param>
internal sealed class JournalHost(bool needed, Func<CancellationToken, Task<OpenedJournal>> open) : IAsyncDisposable
{
    private OpenedJournal? _opened;
    private QueueError? _failing;

    public bool IsOpen => _opened is not null;

    /// <summary>Null while it is not open.</summary>
    public OpenedJournal? Opened => _opened;

    /// <exception cref="InvalidOperationException">It is not open: a defect.</exception>
    public IMessageQueue Queue => _opened?.Queue ?? throw new InvalidOperationException("The journal is not open.");

    /// <summary>Opens it if it is needed and not open yet. Before anything that uses it starts.</summary>
    /// <exception cref="JournalUnavailableException">With path, reason and remedy.</exception>
    /// <exception cref="SealKeyUnavailableException">With path, reason and remedy.</exception>
    public async Task OpenAsync(CancellationToken cancellation)
    {
        if (needed && !IsOpen)
        {
            _opened = await open(cancellation);
        }
    }

    /// <summary>Tells how the last use of the store went; null: well.</summary>
    public void Observe(QueueError? error) => _failing = error;

    /// <returns>Null while it takes items, or where none is needed; else a short reason.</returns>
    public string? NotReady() => !needed ? null
        : !IsOpen ? "the journal is not open yet"
        : _failing switch
        {
            null => Bound(Queue.BoundReached),
            QueueError.DiskFull => "the journal's disk is full",
            QueueError.BoundReached => Bound(QueueBound.MaxBytes),
            QueueError.StoreFailed => "the journal fails",
            QueueError.NotDurable => "the journal keeps less than journal.minimum",
            QueueError.TooLarge => null,
            _ => "the journal is closed",
        };

    private static string? Bound(QueueBound? bound) => bound switch
    {
        null => null,
        QueueBound.MaxItems => "journal.maxItems is reached: new events are refused until stored ones are delivered or discarded",
        _ => "journal.maxBytes is reached: new events are refused until stored ones are delivered or discarded",
    };

    public async ValueTask DisposeAsync()
    {
        if (_opened is not null)
        {
            await _opened.DisposeAsync();
        }
    }
}
