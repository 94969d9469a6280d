namespace SendProxy.Sqlite;

/// <summary>
/// The journal's session, once it is open and what its rooms keep in memory is loaded. Both can fail while the disk is full; then
/// they are tried again, once a second at most, when there is work. Only the journal's thread uses it.
/// </summary>
internal sealed class JournalOpening(SqliteJournalOptions options, SqliteSession? session, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly string _path = Path.GetFullPath(options.Path);
    private readonly List<JournalWork> _loads = [];
    private JournalError? _failed = session is null ? JournalError.DiskFull : null;
    private long _failedAt = time.GetTimestamp();

    /// <exception cref="InvalidOperationException">It is not open: a defect.</exception>
    public SqliteSession Session => session ?? throw new InvalidOperationException("The journal's file is not open.");

    /// <summary>Has to run before other work.</summary>
    public void Add(JournalWork load)
    {
        _loads.Add(load);
        if (_failed is { } error)
        {
            load.Fail(error);
        }
    }

    /// <returns>Null when work may run; else what it fails with.</returns>
    public JournalError? NotReady()
    {
        if (session is not null && _loads.Count == 0)
        {
            return null;
        }

        if (_failed is { } error && time.GetElapsedTime(_failedAt) < Pause)
        {
            return error;
        }

        _failed = Open() ?? Load();
        _failedAt = time.GetTimestamp();
        return _failed;
    }

    public void Dispose() => session?.Dispose();

    private JournalError? Open()
    {
        try
        {
            session ??= SqliteOpening.OpenSession(options);
            return null;
        }
        catch (JournalUnavailableException e)
        {
            return e.IsDiskFull ? JournalError.DiskFull : JournalError.Io;
        }
    }

    private JournalError? Load()
    {
        while (_loads.Count > 0)
        {
            if (Run(_loads[0]) is { } error)
            {
                _loads.ForEach(load => load.Fail(error));
                return error;
            }

            _loads[0].Complete();
            _loads.RemoveAt(0);
        }

        return null;
    }

    private JournalError? Run(JournalWork load)
    {
        load.Defect = null;
        try
        {
            Session.Begin();
            load.Run(Session);
            Session.Commit();
            return null;
        }
        catch (Microsoft.Data.Sqlite.SqliteException e) when (SqliteFaults.Of(e, _path) is not null)
        {
            Session.Rollback();
            return SqliteFaults.Of(e, _path);
        }
#pragma warning disable CA1031 // A defect of the load is its caller's, and must not end the journal's thread.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Session.Rollback();
            load.Defect = e;
            return null;
        }
    }
}
