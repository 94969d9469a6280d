namespace SendProxy.Secrets.Sealing;

/// <summary>
/// The keys that open stored items; the first one seals. Rotation: a new key in front, the old one behind it.
/// </summary>
internal sealed class SealKeys : IDisposable
{
    private readonly SealKey[] _keys;

    /// <summary>Takes over the keys.</summary>
    public SealKeys(IReadOnlyList<SealKey> keys)
    {
        ArgumentOutOfRangeException.ThrowIfZero(keys.Count);
        _keys = [.. keys];
    }

    /// <summary>The first one, which seals.</summary>
    public SealKey Current => _keys[0];

    /// <summary>All of them, the first one first.</summary>
    public IReadOnlyList<SealKey> All => _keys;

    /// <summary>It is in memory only, since the disk was full: nothing may be stored under it before it is saved.</summary>
    public bool IsUnsaved { get; private set; }

    /// <summary>A new key of a new journal on a full disk.</summary>
    public static SealKeys Unsaved(string path) =>
        new([new SealKey(System.Security.Cryptography.RandomNumberGenerator.GetBytes(SealKey.Bytes), path)]) { IsUnsaved = true };

    /// <exception cref="SealKeyUnavailableException">It cannot be written yet, or another key is there.</exception>
    public void Save()
    {
        if (IsUnsaved)
        {
            Current.Save();
            IsUnsaved = false;
        }
    }

    /// <summary>Null when no key has this id.</summary>
    public SealKey? Find(SealKeyId id)
    {
        foreach (var key in _keys)
        {
            if (key.Id == id)
            {
                return key;
            }
        }

        return null;
    }

    /// <summary>Reads each file: 32 raw bytes, or them in base64 or hex with white space around.</summary>
    /// <exception cref="SealKeyUnavailableException">A file is not there, not readable or no key.</exception>
    public static SealKeys Load(IReadOnlyList<string> paths) => new([.. paths.Select(SealKeyFile.Read)]);

    /// <summary>Reads the key at <paramref name="path"/>, or makes one there (mode 0600) for a new journal.</summary>
    /// <exception cref="SealKeyUnavailableException">
    /// It is no key; or there is none and <paramref name="journalHasItems"/>: a new key would open none of them.
    /// </exception>
    public static SealKeys LoadOrCreate(string path, bool journalHasItems)
    {
        if (!File.Exists(path) && !journalHasItems)
        {
            SealKeyFile.Create(path);
        }

        return LoadExisting(path);
    }

    /// <summary>Reads the key beside a journal that has items.</summary>
    /// <exception cref="SealKeyUnavailableException">It is no key, or not there.</exception>
    public static SealKeys LoadExisting(string path) => File.Exists(path)
        ? Load([path])
        : throw new SealKeyUnavailableException(
            path, "is not there, but the journal has items sealed under it. Restore it from a backup, or move "
            + "the journal away to begin a new one and lose those items");

    public void Dispose() => Array.ForEach(_keys, key => key.Dispose());

    public override string ToString() => "***";
}
