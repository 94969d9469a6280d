using System.Threading.Channels;

namespace SendProxy.Sqlite;

/// <summary>
/// The journal's file and the one thread that uses it. Callers hand it work items; it runs those that wait in one
/// transaction (group commit), syncs once, and then tells them all.
/// </summary>
internal sealed class SqliteJournal : IAsyncDisposable
{
    private readonly Channel<JournalWork> _writes;
    private readonly Channel<JournalWork> _reads;
    private readonly ManualResetEventSlim _wake = new(initialState: false, spinCount: 0);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private SqliteJournal(
        SqliteJournalOptions options, SqliteSession? session, JournalMetrics metrics, TimeProvider time, bool ephemeral)
    {
        _writes = Channel.CreateBounded<JournalWork>(Bounded(options));
        _reads = Channel.CreateBounded<JournalWork>(Bounded(options));
        (IsEphemeral, WaitsForSpace) = (ephemeral, session is null);
        var loop = new JournalLoop(options, new JournalOpening(options, session, time), _writes.Reader, _reads.Reader, metrics, time);
        var thread = new Thread(() => Run(loop)) { IsBackground = true, Name = "journal" };
        thread.Start();
    }

    /// <summary>The file system forgets, or cannot be relied on.</summary>
    public bool IsEphemeral { get; }

    /// <summary>
    /// The disk was full when it was opened: work fails with <see cref="JournalError.DiskFull"/> until there is space; then it opens by
    /// itself.
    /// </summary>
    public bool WaitsForSpace { get; }

    /// <summary>Opens the file, takes its lock and starts the thread. A full disk is no failure: see <see cref="WaitsForSpace"/>.</summary>
    /// <exception cref="JournalUnavailableException">With path, reason and remedy.</exception>
    public static SqliteJournal Open(SqliteJournalOptions options, JournalMetrics metrics, TimeProvider time)
    {
        if (SqliteLibrary.Problem() is { } missing)
        {
            throw new JournalUnavailableException(Path.GetFullPath(options.Path), missing);
        }

        var isEphemeral = IsOnEphemeral(options);
        SqliteSession? session;
        try
        {
            session = SqliteOpening.OpenSession(options);
        }
        catch (JournalUnavailableException e) when (e.IsDiskFull)
        {
            session = null;
        }

        return new SqliteJournal(options, session, metrics, time, isEphemeral);
    }

    /// <returns>Whether it stands where things are forgotten, and the options take that.</returns>
    /// <exception cref="JournalUnavailableException">The options do not take it.</exception>
    public static bool IsOnEphemeral(SqliteJournalOptions options)
    {
        var path = Path.GetFullPath(options.Path);
        var system = FileSystems.Find(ExistingParent(path));
        return system.Durable || options.AllowEphemeral
            ? !system.Durable
            : throw new JournalUnavailableException(
                path, $"is on a file system that may not keep it ({system.Type} at {system.MountPoint}); mount a local "
                + "volume there, or set journal.allowEphemeral and journal.minimum: memory to take the loss");
    }

    /// <summary>
    /// Runs <paramref name="work"/> in a transaction and yields once that is synced. An exception in it is a defect:
    /// its own changes are rolled back, the caller gets it, and the others of the batch are not touched.
    /// </summary>
    /// <param name="work">
    /// Runs on the journal's thread: no waiting, no I/O of its own. It runs again where another of its batch has a defect, so what
    /// it changes outside of the session it undoes by <see cref="SqliteSession.OnRolledBack"/>.
    /// </param>
    /// <param name="bytes">About how much it writes; bounds a batch.</param>
    /// <param name="cancel">Ends the waiting until the work begins; then nothing was done. Not after that.</param>
    public Task<JournalResult<T>> WriteAsync<T>(Func<SqliteSession, T> work, int bytes, CancellationToken cancel) =>
        HandInAsync(_writes.Writer, new JournalWork<T>(work, bytes, cancel), cancel);

    /// <summary>
    /// Runs <paramref name="load"/> before any other work, in a transaction of its own. Where the disk is full, the caller is told, all
    /// other work fails too, and it runs again until it has succeeded: so it must be able to begin anew.
    /// </summary>
    public Task<JournalResult<T>> LoadAsync<T>(Func<SqliteSession, T> load, CancellationToken cancel) =>
        HandInAsync(_writes.Writer, new JournalWork<T>(load, 0, cancel) { IsLoad = true }, cancel);

    /// <summary>
    /// Runs <paramref name="work"/>, which changes nothing, between two commits: it waits for one at most.
    /// </summary>
    public Task<JournalResult<T>> ReadAsync<T>(Func<SqliteSession, T> work, CancellationToken cancel) =>
        HandInAsync(_reads.Writer, new JournalWork<T>(work, 0, cancel), cancel);

    /// <summary>Finishes what was handed in, then closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        _writes.Writer.TryComplete();
        _reads.Writer.TryComplete();
        _wake.Set();
        await _ended.Task;
    }

    private async Task<JournalResult<T>> HandInAsync<T>(
        ChannelWriter<JournalWork> channel, JournalWork<T> work, CancellationToken cancel)
    {
        while (!channel.TryWrite(work))
        {
            if (!await channel.WaitToWriteAsync(cancel))
            {
                return new JournalResult<T>(default, JournalError.Closed);
            }
        }

        _wake.Set();
        return await work.Done;
    }

    private void Run(JournalLoop loop)
    {
        while (!_writes.Reader.Completion.IsCompleted || !_reads.Reader.Completion.IsCompleted)
        {
            _wake.Wait();
            _wake.Reset();
            loop.Drain();
        }

        loop.Dispose();
        _ended.SetResult();
    }

    private static BoundedChannelOptions Bounded(SqliteJournalOptions options) => new(options.MaxPending)
    {
        SingleReader = true,
        AllowSynchronousContinuations = false,
    };

    /// <returns>The directory above it that is there.</returns>
    public static string ExistingParent(string path)
    {
        var directory = Path.GetDirectoryName(path);
        while (directory is not null && !Directory.Exists(directory))
        {
            directory = Path.GetDirectoryName(directory);
        }

        return directory ?? "/";
    }
}
