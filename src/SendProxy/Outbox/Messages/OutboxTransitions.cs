namespace SendProxy.Outbox.Messages;

/// <summary>One way from state to state.</summary>
/// <param name="From">Null: it was not there.</param>
/// <param name="When">What makes it happen, for docs/OUTBOX.md.</param>
internal sealed record OutboxTransition(OutboxState? From, string When, OutboxState To);

/// <summary>Every transition there is. docs/OUTBOX.md prints this table, and the model test holds what really happens to it.</summary>
internal static class OutboxTransitions
{
    public static readonly IReadOnlyList<OutboxTransition> All =
    [
        new(null, "accepted: stored before 202 is answered", OutboxState.Queued),
        new(null, "accepted while its attempt already runs (`Prefer: wait`, `whenBusy: queue`)", OutboxState.Sending),
        new(null, "accepted while its route is paused", OutboxState.Held),
        new(OutboxState.Queued, "claimed by a worker: it is due, or its time is over", OutboxState.Sending),
        new(OutboxState.Retrying, "claimed by a worker: it is due, or its time is over", OutboxState.Sending),
        new(OutboxState.Held, "its time is over: a worker takes it to end it", OutboxState.Sending),
        new(OutboxState.Sending, "given back: the process ended or stops, and nothing was begun", OutboxState.Queued),
        new(OutboxState.Sending, "nothing was done and asking again helps; or it may have been sent, and the vendor deduplicates", OutboxState.Retrying),
        new(OutboxState.Sending, "the same while its route is paused", OutboxState.Held),
        new(OutboxState.Sending, "the vendor's answer is a success", OutboxState.Sent),
        new(OutboxState.Sending, "the vendor refused it for good and did nothing", OutboxState.Failed),
        new(OutboxState.Sending, "it may have been sent, and the vendor does not deduplicate, or not any more, or its time is over", OutboxState.Unknown),
        new(OutboxState.Sending, "its time is over, and nothing was sent", OutboxState.Expired),
        new(OutboxState.Queued, "its route is paused", OutboxState.Held),
        new(OutboxState.Retrying, "its route is paused", OutboxState.Held),
        new(OutboxState.Held, "its route is resumed", OutboxState.Queued),
        new(OutboxState.Held, "its route is resumed", OutboxState.Retrying),
        new(OutboxState.Queued, "cancelled by its application, or discarded by an operator", OutboxState.Discarded),
        new(OutboxState.Retrying, "cancelled or discarded; not where it may have been sent", OutboxState.Discarded),
        new(OutboxState.Held, "cancelled or discarded; not where it may have been sent", OutboxState.Discarded),
        new(OutboxState.Failed, "discarded by an operator", OutboxState.Discarded),
        new(OutboxState.Unknown, "discarded by an operator", OutboxState.Discarded),
        new(OutboxState.Expired, "discarded by an operator", OutboxState.Discarded),
        new(OutboxState.Failed, "replayed by an operator", OutboxState.Queued),
        new(OutboxState.Expired, "replayed by an operator", OutboxState.Queued),
        new(OutboxState.Unknown, "replayed by an operator with `--may-send-twice`", OutboxState.Queued),
        new(OutboxState.Failed, "replayed while its route is paused", OutboxState.Held),
        new(OutboxState.Expired, "replayed while its route is paused", OutboxState.Held),
        new(OutboxState.Unknown, "replayed with `--may-send-twice` while its route is paused", OutboxState.Held),
    ];

    /// <param name="from">Null: it was not there.</param>
    public static bool Allows(OutboxState? from, OutboxState to) => All.Any(t => t.From == from && t.To == to);
}
