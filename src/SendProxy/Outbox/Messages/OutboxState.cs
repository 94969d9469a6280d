using SendProxy.Queueing;

namespace SendProxy.Outbox.Messages;

/// <summary>Where an accepted message is, in the words that callers and operators are told.</summary>
internal enum OutboxState
{
    /// <summary>Stored; waits for its turn, or for the time before which it must not go.</summary>
    Queued,

    /// <summary>In a worker's hands.</summary>
    Sending,

    /// <summary>Waits until an operator resumes its route, or for a seal key.</summary>
    Held,

    /// <summary>Waits for another attempt.</summary>
    Retrying,

    /// <summary>The vendor took it.</summary>
    Sent,

    /// <summary>The vendor refused it for good, or it cannot be sent. Nothing was done.</summary>
    Failed,

    /// <summary>It may have been sent, and nobody can find out by asking again: a person decides.</summary>
    Unknown,

    /// <summary>Its time was over before anything of it was sent.</summary>
    Expired,

    /// <summary>Its application or an operator ended it.</summary>
    Discarded,
}

/// <summary>Names of <see cref="OutboxState"/>, and how the queue's states map to them.</summary>
internal static class OutboxStates
{
    public static OutboxState Of(ItemState state) => state switch
    {
        ItemState.Queued => OutboxState.Queued,
        ItemState.Leased => OutboxState.Sending,
        ItemState.Retrying => OutboxState.Retrying,
        ItemState.Held => OutboxState.Held,
        ItemState.Done => OutboxState.Sent,
        ItemState.Dead => OutboxState.Failed,
        ItemState.Unknown => OutboxState.Unknown,
        ItemState.Expired => OutboxState.Expired,
        _ => OutboxState.Discarded,
    };

    /// <returns>The queue's state for it.</returns>
    public static ItemState Stored(this OutboxState state) => Enum.GetValues<ItemState>().First(s => Of(s) == state);

    /// <summary>Whether nothing more happens to it by itself.</summary>
    public static bool IsFinished(this OutboxState state) => state >= OutboxState.Sent;

    public static string Word(this OutboxState state) => state switch
    {
        OutboxState.Queued => "queued",
        OutboxState.Sending => "sending",
        OutboxState.Held => "held",
        OutboxState.Retrying => "retrying",
        OutboxState.Sent => "sent",
        OutboxState.Failed => "failed",
        OutboxState.Unknown => "unknown",
        OutboxState.Expired => "expired",
        _ => "discarded",
    };

    /// <returns>Null where a word is no state.</returns>
    public static OutboxState? Parse(string word)
    {
        foreach (var state in Enum.GetValues<OutboxState>())
        {
            if (state.Word() == word)
            {
                return state;
            }
        }

        return null;
    }
}
