using SendProxy.Sandbox.Server;

namespace SendProxy.Sandbox.Recording;

/// <summary>Every message that was really sent, whatever the client was told.</summary>
internal sealed class MessageLedger(MemoryOptions memory)
{
    private readonly Lock _gate = new();
    private readonly BoundedLog<LedgerEntry> _entries = new(memory.MaxLedgerEntries);
    private readonly EffectCounts _intents = new(memory.MaxTrackedNames);
    private readonly EffectCounts _keys = new(memory.MaxTrackedNames);
    private long _effects;

    /// <summary>Messages really sent since the start or the last <see cref="Clear"/>.</summary>
    public long Effects => Interlocked.Read(ref _effects);

    /// <summary>Entries that gave way to newer ones.</summary>
    public long Dropped => _entries.Dropped;

    /// <summary>Notes one effect. Its number is given here.</summary>
    /// <param name="entry">The effect.</param>
    /// <param name="account">Within which the idempotency key is unique.</param>
    public void Add(LedgerEntry entry, string account)
    {
        lock (_gate)
        {
            _effects++;
            _entries.Append(entry, static (number, e) =>
            {
                e.Number = number;
                return e;
            });
            if (entry.Intent is { } intent) { _intents.Add(intent, ""); }
            if (entry.IdempotencyKey is { } key) { _keys.Add(key, account + entry.Path); }
        }
    }

    /// <summary>At most <paramref name="limit"/> entries after number <paramref name="since"/>, oldest first.</summary>
    public IReadOnlyList<LedgerEntry> Read(long since = 0, int limit = int.MaxValue) => _entries.Read(since, limit);

    public LedgerSummary Summary()
    {
        lock (_gate)
        {
            return new LedgerSummary(
                _effects, _entries.Count, _entries.Dropped, NameCounts.Of(_intents), NameCounts.Of(_keys));
        }
    }

    /// <summary>Ends when so many messages have been sent since the start, whatever was cleared.</summary>
    public Task ReachAsync(long count, CancellationToken cancellationToken) =>
        _entries.ReachAsync(count, cancellationToken);

    public void Clear()
    {
        lock (_gate)
        {
            _effects = 0;
            _entries.Clear();
            _intents.Clear();
            _keys.Clear();
        }
    }
}
