namespace SendProxy.Sqlite;

/// <summary>Why the journal did not do a work item. Nothing of it was stored.</summary>
internal enum JournalError
{
    /// <summary>The disk is full. Heals when there is space.</summary>
    DiskFull,

    /// <summary>The file has its own bound, <see cref="SqliteJournalOptions.MaxBytes"/>. Heals when items are removed.</summary>
    BoundReached,

    /// <summary>Reading, writing or syncing failed. May heal: the next batch begins anew.</summary>
    Io,

    /// <summary>The journal is closed.</summary>
    Closed,
}

/// <summary>What a work item yields, or why it was not done.</summary>
internal readonly record struct JournalResult<T>(T? Value, JournalError? Error = null);
