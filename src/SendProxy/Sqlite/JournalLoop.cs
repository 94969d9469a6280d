using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace SendProxy.Sqlite;

/// <summary>
/// What the journal's thread does. In turn: 1 some reads; 2 take what waits, up to the batch's bounds; 3 run each in a
/// savepoint of its own; 4 commit and sync once; 5 tell every caller.
/// </summary>
internal sealed class JournalLoop(
    SqliteJournalOptions options,
    JournalOpening opening,
    ChannelReader<JournalWork> writes,
    ChannelReader<JournalWork> reads,
    JournalMetrics metrics,
    TimeProvider time) : IDisposable
{
    // Enough to answer everybody who looks, few enough not to hold up a commit.
    private const int ReadsBetweenCommits = 64;
    private readonly List<JournalWork> _batch = [];
    private readonly string _path = Path.GetFullPath(options.Path);

    private SqliteSession Session => opening.Session;

    /// <summary>Works until nothing waits.</summary>
    public void Drain()
    {
        while (RunReads() | RunBatch())
        {
        }
    }

    public void Dispose() => opening.Dispose();

    private bool RunReads()
    {
        var count = 0;
        while (count < ReadsBetweenCommits && reads.TryRead(out var work))
        {
            count++;
            if (work.IsCancelled)
            {
                work.CompleteCancelled();
            }
            else if ((opening.NotReady() ?? Guarded(work)) is { } error)
            {
                metrics.Failed(error);
                work.Fail(error);
            }
            else
            {
                if (work.Defect is not null)
                {
                    metrics.Defect();
                }

                work.Complete();
            }
        }

        return count > 0;
    }

    private bool RunBatch()
    {
        Collect();
        if (_batch.Count == 0)
        {
            return false;
        }

        var started = time.GetTimestamp();
        var failed = opening.NotReady() ?? Attempt();
        if (failed is { } error)
        {
            metrics.Failed(error);
            _batch.ForEach(work => work.Fail(error));
        }
        else
        {
            metrics.Committed(_batch.Count, time.GetElapsedTime(started));
            _batch.ForEach(work => work.Complete());
        }

        return true;
    }

    private void Collect()
    {
        _batch.Clear();
        var bytes = 0;
        while (_batch.Count < options.MaxBatchItems && bytes < options.MaxBatchBytes && writes.TryRead(out var work))
        {
            if (work.IsCancelled)
            {
                work.CompleteCancelled();
                continue;
            }

            if (work.IsLoad)
            {
                opening.Add(work);
                _ = opening.NotReady();
                continue;
            }

            bytes += work.Bytes;
            _batch.Add(work);
        }
    }

    /// <returns>Null when committed. Otherwise all of it is rolled back.</returns>
    private JournalError? Attempt()
    {
        // A savepoint costs two statements, and hardly a batch has a defect: the one that has is run again with them.
        var error = Attempt(isolated: false);
        if (error is not null || _batch.TrueForAll(work => work.Defect is null))
        {
            return error;
        }

        _batch.ForEach(work => work.Defect = null);
        return Attempt(isolated: true);
    }

    /// <param name="isolated">A defect is rolled back alone; else it ends the attempt, and nothing is kept.</param>
    private JournalError? Attempt(bool isolated)
    {
        try
        {
            Session.Begin();
            foreach (var work in _batch)
            {
                if (isolated)
                {
                    Session.Save();
                }

                if (Guarded(work) is { } error)
                {
                    Session.Rollback();
                    return error;
                }

                if (!isolated && work.Defect is not null)
                {
                    Session.Rollback();
                    return null;
                }

                if (isolated)
                {
                    End(work);
                }
            }

            Session.Commit();
            return null;
        }
        catch (SqliteException e)
        {
            Session.Rollback();
            return SqliteFaults.Of(e, _path) ?? JournalError.Io;
        }
    }

    private void End(JournalWork work)
    {
        if (work.Defect is null)
        {
            Session.ReleaseSaved();
            return;
        }

        metrics.Defect();
        Session.RollbackToSaved();
    }

    /// <returns>An error of the whole batch; null when it ran, or failed alone and has its <c>Defect</c>.</returns>
    private JournalError? Guarded(JournalWork work)
    {
        try
        {
            work.Run(Session);
            return null;
        }
        catch (SqliteException e) when (SqliteFaults.Of(e, _path) is not null)
        {
            return SqliteFaults.Of(e, _path);
        }
#pragma warning disable CA1031 // Any other failure is the work item's own: its caller gets it, the others do not.
        catch (Exception e)
#pragma warning restore CA1031
        {
            work.Defect = e;
            return null;
        }
    }
}
