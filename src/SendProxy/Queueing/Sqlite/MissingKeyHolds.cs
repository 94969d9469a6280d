using Microsoft.Data.Sqlite;
using SendProxy.Queueing.Sealed;
using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;

namespace SendProxy.Queueing.Sqlite;

/// <summary>
/// Pauses the items that no configured seal key opens, and releases them once their key is configured again. Seal keys change
/// only at a start, so this runs once, when the journal is opened.
/// </summary>
internal sealed class MissingKeyHolds(SealKeys keys)
{
    /// <summary>Reads the configured keys, or the one beside the journal, which is made for a new journal.</summary>
    /// <exception cref="JournalUnavailableException">The journal cannot be read.</exception>
    /// <exception cref="SealKeyUnavailableException">A key is missing or none, or no key opens what is stored.</exception>
    public static async Task<SealKeys> LoadKeysAsync(JournalOptions options, SqliteJournal journal, CancellationToken cancel)
    {
        var hasItems = await journal.ReadAsync(session => session.Number(ItemSql.Any) is not null, cancel);
        if (hasItems.Error is not (null or JournalError.DiskFull))
        {
            throw new JournalUnavailableException(options.Path, "cannot be read; see the disk's errors");
        }

        // On a full disk it may be unread: then a key that is missing is made anew only where the file shows that nothing is stored.
        var mayHaveItems = hasItems.Error is null ? hasItems.Value : JournalPeek.MayHaveItems(options.Path);
        var keys = options.SealKeys.Count > 0 ? SealKeys.Load(options.SealKeys) : LoadOrCreate(options.Path + ".key", mayHaveItems);
        var needed = await journal.ReadAsync(Count, cancel);
        SealKeyNeeds.RefuseIfNothingOpens(keys, needed.Value ?? [], options.Path);
        return keys;
    }

    private static SealKeys LoadOrCreate(string path, bool mayHaveItems)
    {
        try
        {
            return SealKeys.LoadOrCreate(path, mayHaveItems);
        }
        catch (SealKeyUnavailableException e) when (e.InnerException is { } inner && SqliteFaults.IsDiskFull(inner))
        {
            // Sends need no disk: it is saved before the first item is stored.
            return SealKeys.Unsaved(path);
        }
    }

    /// <summary>Counts what is needed of each key that has items, from an index alone.</summary>
    public static List<SealKeyUse> Count(SqliteSession session)
    {
        var found = new List<(SealKeyId Key, long Items, long First)>();
        using (var rows = session.Query(SealKeySql.Counts))
        {
            while (rows.Read())
            {
                // Too short for an id is damaged; it counts under a key that there cannot be.
                var id = rows.Bytes(0);
                found.Add((id.Length < SealKeyId.Bytes ? default : SealKeyId.Read(id), rows.Number(1), rows.Number(2)));
            }
        }

        return found.ConvertAll(key => new SealKeyUse(key.Key, key.Items, Created(session, key.First)));
    }

    /// <summary>In the transaction in which the journal is loaded, after leased items were put back.</summary>
    /// <returns>What is needed of each key.</returns>
    public IReadOnlyList<SealKeyUse> Apply(SqliteSession session, IEnumerable<string> queues)
    {
        SaveKeys();
        session.Execute(SealKeySql.Revive);
        foreach (var queue in queues)
        {
            foreach (var key in keys.All)
            {
                session.Execute(SealKeySql.Release, queue, key.Id.ToBytes());
            }
        }

        var counts = Count(session);
        foreach (var missing in counts.Where(count => keys.Find(count.Key) is null))
        {
            session.Execute(SealKeySql.Hold, missing.Key.ToBytes(), UnopenableReason.MissingKey);
        }

        return counts;
    }

    // In the journal's own terms, so that it is tried again with the load.
    private void SaveKeys()
    {
        try
        {
            keys.Save();
        }
        catch (SealKeyUnavailableException e)
        {
            throw new SqliteException(e.Message, e.InnerException is { } inner && SqliteFaults.IsDiskFull(inner) ? SqliteFaults.Full : SqliteFaults.IoError);
        }
    }

    private static DateTimeOffset? Created(SqliteSession session, long seq) =>
        session.Number(SealKeySql.Created, seq) is { } at ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;
}
