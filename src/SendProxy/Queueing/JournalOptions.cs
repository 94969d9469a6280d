using SendProxy.Configuration;
using SendProxy.Sqlite;

namespace SendProxy.Queueing;

/// <summary>What the journal stands on.</summary>
internal enum JournalKind
{
    /// <summary>A file of this process.</summary>
    Sqlite,

    /// <summary>There is none: no webhooks, no queued sends.</summary>
    None,
}

/// <summary>What must not be lost, and where it is kept. Section <c>journal</c>.</summary>
internal sealed record JournalOptions
{
    private static readonly IReadOnlyList<string> None = [];

    public JournalKind Kind { get; init; }

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

    public static JournalOptions Read(SettingsReader journal) => new()
    {
        Kind = journal.Choice("kind", "sqlite: a file of this process; none: no webhooks and no queued sends.",
            ("sqlite", JournalKind.Sqlite), ("none", JournalKind.None)),
        Path = journal.FilePath("path", "../data/sendproxy.db", "The file; its directory must be on a local disk.")!,
        Minimum = journal.Choice("minimum", "Do not start where less is kept: memory, everysec (a loss of power takes a second), fsync.",
            ("everysec", Durability.Everysec), ("memory", Durability.Memory), ("fsync", Durability.Fsync)),
        AllowEphemeral = journal.Flag("allowEphemeral", false,
            "Take a file system that forgets (tmpfs, overlay) or locks badly (nfs); needs minimum: memory."),
        MaxBytes = journal.Size("maxBytes", "4GiB", "16MiB", "1024GiB", "Size of the file; new items are refused from 90 % on, so that those inside can be fanned out and finished."),
        MaxItems = (int)journal.Integer("maxItems", 1_000_000, 100, 100_000_000, "Items, finished ones included; the oldest finished ones go first. New items are refused from 90 % on, so that those inside can be fanned out."),
        Retention = journal.Duration("retention", "24h", "1m", "90d", "How long finished items are kept."),
        SealKeys = [.. journal.List("sealKeys", "AES-256 keys of the stored items: the first seals, all open. None: made beside the file.",
            r => r.FilePath("file", null, "A file with 32 bytes, raw or in base64 or hex.") ?? Missing(r), 5)],
    };

    /// <summary>Whether nothing differs that needs a restart.</summary>
    public bool Same(JournalOptions other) =>
        this with { SealKeys = None } == other with { SealKeys = None } && SealKeys.SequenceEqual(other.SealKeys);

    /// <summary>What of it the file is opened with.</summary>
    public SqliteJournalOptions ToSqlite() =>
        new() { Path = Path, AllowEphemeral = AllowEphemeral, MaxBytes = MaxBytes };

    /// <returns>Why what is kept is too little; null where it is enough.</returns>
    public string? Unkept(Durability kept) => kept < Minimum
        ? $"keeps {kept.WireName()}, and journal.minimum is {Minimum.WireName()}; use a local disk, or lower the minimum"
        : null;

    private static string Missing(SettingsReader key)
    {
        key.Check(false, "file", "is required; write { file: /run/secrets/journal/key }");
        return "";
    }
}
