using SendProxy.Queueing.Sealed;

namespace SendProxy.Queueing.Sqlite;

/// <summary>
/// Items of one queue, route and group, counted as the tables have them. Only the journal's thread uses it.
/// </summary>
internal sealed record QueuePartition(long Number, string Queue, string Route, string Group)
{
    /// <summary>Items by <see cref="ItemState"/>.</summary>
    public long[] Items { get; } = new long[ItemStates.Count];

    /// <summary>Claimable items, due or not, by lane.</summary>
    public long[] Ready { get; } = new long[Lanes];

    public const int Lanes = SealedItem.Lanes;

    public bool IsEmpty => Array.TrueForAll(Items, count => count == 0);

    public bool HasReady => Array.Exists(Ready, count => count > 0);
}
