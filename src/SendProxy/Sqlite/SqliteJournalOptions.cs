namespace SendProxy.Sqlite;

/// <summary>How the file is opened; a room that owns a configuration section fills it.</summary>
internal sealed record SqliteJournalOptions
{
    public required string Path { get; init; }

    /// <summary>Open on a file system that forgets, or whose locks or syncs cannot be relied on.</summary>
    public bool AllowEphemeral { get; init; }

    /// <summary>
    /// Hard bound of the file without its write-ahead log; beyond it a commit is <see cref="JournalError.BoundReached"/>.
    /// </summary>
    public long MaxBytes { get; init; } = 4L << 30;

    /// <summary>
    /// Work items in one commit. 128: on the disks measured (bench/SendProxy.Bench) a sync takes as long as some 100
    /// inserts, so more gains little and makes those in front wait.
    /// </summary>
    public int MaxBatchItems { get; init; } = 128;

    /// <summary>
    /// Bytes in one commit, as far as callers told them; bounds the write-ahead log and the wait for a commit.
    /// </summary>
    public int MaxBatchBytes { get; init; } = 4 << 20;

    /// <summary>Work items waiting; more callers wait for room.</summary>
    public int MaxPending { get; init; } = 4096;
}
