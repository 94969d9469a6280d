using SendProxy.Sqlite;

namespace SendProxy.Queueing;

/// <summary>What must not be lost, and where it is kept. Section <c>journal</c>.</summary>
internal sealed record JournalOptions
{
    /// <summary>
    /// The SQLite file. Its key stands beside it as <c>PATH.key</c> when <see cref="SealKeys"/> is empty.
    /// </summary>
    public required string Path { get; init; }

    /// <summary>Below it the journal does not open.</summary>
    public Durability Minimum { get; init; } = Durability.Everysec;

    /// <summary>
    /// Take a file system that forgets (tmpfs, overlay) or that locks badly (nfs). Durability is then memory.
    /// </summary>
    public bool AllowEphemeral { get; init; }

    /// <summary>
    /// Bytes of the file; new items are refused from 90 % on, so that those inside can still be finished.
    /// </summary>
    public long MaxBytes { get; init; } = 4L << 30;

    /// <summary>Items, finished ones included.</summary>
    public int MaxItems { get; init; } = 1_000_000;

    /// <summary>How long done, expired and discarded items are kept.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromHours(24);

    /// <summary>How long dead and unknown items are kept for an operator.</summary>
    public TimeSpan DeadRetention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Files of AES-256 keys: the first seals, all open. Empty: made beside the journal.</summary>
    public IReadOnlyList<string> SealKeys { get; init; } = [];

    /// <summary>What of it the file is opened with.</summary>
    public SqliteJournalOptions ToSqlite() =>
        new() { Path = Path, AllowEphemeral = AllowEphemeral, MaxBytes = MaxBytes };
}
