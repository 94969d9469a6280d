namespace SendProxy.Sqlite;

/// <summary>Something to be done on the journal's thread, and its caller who waits.</summary>
internal abstract class JournalWork(int bytes, CancellationToken cancel)
{
    /// <summary>About how much it writes.</summary>
    public int Bytes => bytes;

    /// <summary>Whether its caller gave up before it began; then it is not run.</summary>
    public bool IsCancelled => cancel.IsCancellationRequested;

    protected CancellationToken Cancel => cancel;

    /// <summary>
    /// Reads into memory what the file holds: runs before all other work, in a transaction of its own, and again until it has
    /// succeeded, whatever its caller was told.
    /// </summary>
    public bool IsLoad { get; init; }

    /// <summary>Set when the work item itself failed and was rolled back alone.</summary>
    public Exception? Defect { get; set; }

    public abstract void Run(SqliteSession session);

    /// <summary>Tells the caller what <see cref="Run"/> yielded, or its defect.</summary>
    public abstract void Complete();

    public abstract void Fail(JournalError error);

    public abstract void CompleteCancelled();
}

/// <summary>A work item that yields a <typeparamref name="T"/>.</summary>
internal sealed class JournalWork<T>(Func<SqliteSession, T> work, int bytes, CancellationToken cancel)
    : JournalWork(bytes, cancel)
{
    // The journal's thread must not run its callers' code.
    private readonly TaskCompletionSource<JournalResult<T>> _done =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _value;

    public Task<JournalResult<T>> Done => _done.Task;

    public override void Run(SqliteSession session) => _value = work(session);

    public override void Complete()
    {
        if (Defect is { } defect)
        {
            _done.TrySetException(defect);
        }
        else
        {
            _done.TrySetResult(new JournalResult<T>(_value));
        }
    }

    public override void Fail(JournalError error) => _done.TrySetResult(new JournalResult<T>(default, error));

    public override void CompleteCancelled() => _done.TrySetCanceled(Cancel);
}
