namespace SendProxy.Queueing;

/// <summary>Where an item is. The numbers are stored: never renumber.</summary>
internal enum ItemState
{
    /// <summary>Waits for its first attempt, or was given back.</summary>
    Queued = 0,

    /// <summary>In a worker's hands.</summary>
    Leased = 1,

    /// <summary>Waits for another attempt.</summary>
    Retrying = 2,

    /// <summary>
    /// Queued or retrying, and its route or group is held: then told by reads and not stored. Stored for an item that does
    /// not open; the reason says why.
    /// </summary>
    Held = 3,

    /// <summary>Finished well.</summary>
    Done = 4,

    /// <summary>Finished badly; nothing of it took effect. May be replayed.</summary>
    Dead = 5,

    /// <summary>Finished without knowing whether it took effect. Replayed only with the risk accepted.</summary>
    Unknown = 6,

    /// <summary>Its time was over before it was sent.</summary>
    Expired = 7,

    /// <summary>An operator or the application ended it.</summary>
    Discarded = 8,
}

/// <summary>Why an item is held that does not open: its <see cref="StoredItem.Reason"/>.</summary>
internal static class UnopenableReason
{
    /// <summary>Its key is not among the configured ones.</summary>
    public const string MissingKey = "seal_key_missing";

    /// <summary>Its key is there, and its bytes are not as they were sealed.</summary>
    public const string Damaged = "item_damaged";
}

/// <summary>Names of <see cref="ItemState"/> in metrics and the admin API.</summary>
internal static class ItemStates
{
    public const int Count = 9;

    /// <summary>Whether nothing more happens to it by itself.</summary>
    public static bool IsFinished(this ItemState state) => state >= ItemState.Done;

    /// <summary>Queued or retrying: may be claimed when due.</summary>
    public static bool IsWaiting(this ItemState state) => state is ItemState.Queued or ItemState.Retrying;

    /// <summary>What a reader is told of a stored state whose route or group is held.</summary>
    public static ItemState Seen(this ItemState state, bool held) => held && state.IsWaiting() ? ItemState.Held : state;

    public static string WireName(this ItemState state) => state switch
    {
        ItemState.Queued => "queued",
        ItemState.Leased => "leased",
        ItemState.Retrying => "retrying",
        ItemState.Held => "held",
        ItemState.Done => "done",
        ItemState.Dead => "dead",
        ItemState.Unknown => "unknown",
        ItemState.Expired => "expired",
        ItemState.Discarded => "discarded",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "No wire name."),
    };
}
