using SendProxy.Configuration;
using SendProxy.Redis;
using SendProxy.Sqlite;

namespace SendProxy.Queueing;

/// <summary>What the journal stands on.</summary>
internal enum JournalKind
{
    /// <summary>A file of this process.</summary>
    Sqlite,

    /// <summary>A Redis that several processes share.</summary>
    Redis,

    /// <summary>There is none: no webhooks, no queued sends.</summary>
    None,
}

/// <summary>What must not be lost, and where it is kept. Section <c>journal</c>.</summary>
internal sealed record JournalOptions
{
    private static readonly TimeSpan SharedCallTimeout = TimeSpan.FromSeconds(1);

    /// <summary>The file where none is named, relative to the configuration's.</summary>
    public const string UsualPath = "../data/sendproxy.db";

    /// <summary>Most shards.</summary>
    public const int ShardsMax = 64;

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

    /// <summary>The journal's own Redis; null: the fleet's.</summary>
    public RedisOptions? Redis { get; init; }

    /// <summary>Parts of the queues, each in one slot of a Cluster; fixed in the data. 0: as the data says, else 8 on a Cluster and 1 without.</summary>
    public int Shards { get; init; }

    /// <summary>How many replicas must have an item before it is acknowledged.</summary>
    public int Replicas { get; init; }

    /// <summary>What Redis keeps where it may not be asked; null: it is asked.</summary>
    public Durability? Assume { get; init; }

    /// <summary>Largest item, sealed, on Redis.</summary>
    public long MaxItemBytes { get; init; } = 1 << 20;

    public static JournalOptions Read(SettingsReader journal) => new()
    {
        Kind = journal.Choice("kind", "sqlite: a file of this process; redis: a Redis that several processes share; none: no webhooks and no queued sends.",
            ("sqlite", JournalKind.Sqlite), ("redis", JournalKind.Redis), ("none", JournalKind.None)),
        Redis = journal.OptionalSection("redis", "The journal's own Redis, for kind: redis. None: fleet.redis. Best one with maxmemory-policy noeviction.") is { } redis
            ? RedisOptions.Read(redis, "journal", "1s") : null,
        Shards = (int)journal.Integer("shards", 0, 0, ShardsMax,
            "For kind: redis: parts of the queues, each in one slot of a Cluster; fixed once there is data. 0: as the data has it; for new data 8 on a Cluster, else 1."),
        Replicas = (int)journal.Integer("replicas", 0, 0, 10, "For kind: redis: replicas that must have an item before it is acknowledged (WAIT)."),
        Assume = journal.Choice("assume", "For kind: redis where CONFIG GET is not allowed: what it keeps. ask: it is asked.",
            ("ask", (Durability?)null), ("memory", Durability.Memory), ("everysec", Durability.Everysec), ("fsync", Durability.Fsync)),
        MaxItemBytes = journal.Size("maxItemBytes", "1MiB", "1KiB", "64MiB", "For kind: redis: largest item, sealed; a larger one is refused."),
        Path = journal.FilePath("path", UsualPath, "For kind: sqlite: the file; its directory must be on a local disk.")!,
        Minimum = journal.Choice("minimum", "Do not start where less is kept: memory, everysec (a loss of power takes a second), fsync, replicated (see replicas).",
            ("everysec", Durability.Everysec), ("memory", Durability.Memory), ("fsync", Durability.Fsync), ("replicated", Durability.Replicated)),
        AllowEphemeral = journal.Flag("allowEphemeral", false,
            "Take a file system that forgets (tmpfs, overlay) or locks badly (nfs); needs minimum: memory."),
        MaxBytes = journal.Size("maxBytes", "4GiB", "16MiB", "1024GiB", "Size of the file, or on Redis of the items; new items are refused from 90 % on, so that those inside can be fanned out and finished."),
        MaxItems = (int)journal.Integer("maxItems", 1_000_000, 100, 100_000_000, "Items, finished ones included; the oldest finished ones go first. New items are refused from 90 % on, so that those inside can be fanned out."),
        Retention = journal.Duration("retention", "24h", "1m", "90d", "How long finished items are kept."),
        SealKeys = [.. journal.List("sealKeys", "AES-256 keys of the stored items: the first seals, all open. None: made beside the file.",
            r => r.FilePath("file", null, "A file with 32 bytes, raw or in base64 or hex.") ?? Missing(r), 5)],
        Fingerprint = journal.Fingerprint(),
    };

    /// <summary>Equal for equal settings.</summary>
    public string Fingerprint { get; init; } = "";

    /// <summary>Whether nothing differs that needs a restart.</summary>
    public bool Same(JournalOptions other) => Fingerprint == other.Fingerprint;

    /// <summary>What of it the file is opened with.</summary>
    public SqliteJournalOptions ToSqlite() =>
        new() { Path = Path, AllowEphemeral = AllowEphemeral, MaxBytes = MaxBytes };

    /// <returns>Why what is kept is too little; null where it is enough.</returns>
    public string? Unkept(Durability kept) => kept < Minimum
        ? $"keeps {kept.WireName()}, and journal.minimum is {Minimum.WireName()}; use a local disk, or lower the minimum"
        : null;

    /// <summary>Where its Redis is: its own, else the fleet's, with a wait that a disk's sync fits into.</summary>
    public RedisOptions RedisOf(RedisOptions? fleet) =>
        Redis ?? (fleet ?? throw new InvalidOperationException("A journal on Redis has a Redis.")) with { Whose = "journal", CallTimeout = SharedCallTimeout };

    private static string Missing(SettingsReader key)
    {
        key.Check(false, "file", "is required; write { file: /run/secrets/journal/key }");
        return "";
    }
}
