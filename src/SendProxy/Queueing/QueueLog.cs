using SendProxy.Secrets.Sealing;

namespace SendProxy.Queueing;

/// <summary>What the store tells of single items and of its keys.</summary>
internal static partial class QueueLog
{
    /// <summary>A line for each key that items need and the configuration has not.</summary>
    public static void MissingKeys(ILogger logger, SealKeys keys, IReadOnlyList<SealKeyUse> uses)
    {
        foreach (var missing in uses.Where(use => keys.Find(use.Key) is null))
        {
            MissingKey(logger, missing.Items, missing.Key, missing.Oldest);
        }
    }

    [LoggerMessage(302, LogLevel.Error,
        "{Items} items, the oldest of {Oldest}, are sealed under the key {SealKey}, which is not in journal.sealKeys; they are held. Add its file to journal.sealKeys and restart, and they go on")]
    public static partial void MissingKey(ILogger logger, long items, SealKeyId sealKey, DateTimeOffset? oldest);

    [LoggerMessage(306, LogLevel.Error,
        "The item at place {Seq} of the journal, id {Id}, cannot be read any more: the file is damaged there. Stop the proxy, keep a copy of the file, and recover it with sqlite3's .recover")]
    public static partial void Lost(ILogger logger, long seq, Guid? id);

    [LoggerMessage(304, LogLevel.Error,
        "The journal {Path} has no space to be opened. Sends go on; webhooks are refused, and stored events wait, until there is space; then it opens by itself")]
    public static partial void WaitsForSpace(ILogger logger, string path);

    [LoggerMessage(303, LogLevel.Error,
        "Item {Id} of the queue {Queue}, route {Route}, stored at {Stored}, does not open: its bytes are not as they were sealed. It is kept and delivered to nobody; the disk may be damaged")]
    public static partial void Damaged(ILogger logger, string queue, Guid id, string route, DateTimeOffset stored);
}
