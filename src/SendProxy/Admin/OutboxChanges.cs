using SendProxy.Outbox.Messages;
using SendProxy.Queueing;

namespace SendProxy.Admin;

/// <param name="Replay">Send it again; else end it.</param>
/// <param name="DryRun">Only count.</param>
/// <param name="MaySendTwice">Also what may have been sent already.</param>
internal sealed record OutboxChangeOrder(bool Replay, bool DryRun, bool MaySendTwice);

/// <summary>Carries out what an operator orders for stored messages, a page at a time.</summary>
internal sealed class OutboxChanges(JournalHost journal)
{
    public async Task<(WebhookChangeView? View, QueueError? Error)> ChangeAsync(
        OutboxChangeOrder order, IReadOnlyList<StoredItem> items, IReadOnlyList<string> unknown, string? next, CancellationToken cancellation)
    {
        var refused = unknown.Select(id => new WebhookRefusalView(id, "none", "there is no message of this id")).ToList();
        var changing = new List<(StoredItem Item, Task<QueueResult> Change)>();
        var changed = 0;
        foreach (var item in items)
        {
            if (Refusal(order, item) is { } why)
            {
                refused.Add(new WebhookRefusalView(item.Id.ToString(), OutboxStates.Of(item.State).Word(), why));
            }
            else if (order.DryRun)
            {
                changed++;
            }
            else
            {
                changing.Add((item, ApplyAsync(order, item.Id, cancellation).AsTask())); // All at once, so that they share commits.
            }
        }

        foreach (var (item, change) in changing)
        {
            var result = await change;
            if (result.Error is { } error)
            {
                return (null, error);
            }

            if (result.IsDone)
            {
                changed++;
            }
            else
            {
                refused.Add(new WebhookRefusalView(item.Id.ToString(), OutboxStates.Of(result.State ?? item.State).Word(), "it is in this state by now"));
            }
        }

        return (new WebhookChangeView(items.Count + unknown.Count, changed, [], refused, next), null);
    }

    private ValueTask<QueueResult> ApplyAsync(OutboxChangeOrder order, Guid id, CancellationToken cancellation) => order.Replay
        ? journal.Queue.ReplayAsync(OutboxEnvelope.Queue, id, new Replay(order.MaySendTwice), cancellation)
        : journal.Queue.DiscardAsync(OutboxEnvelope.Queue, id, cancellation);

    /// <returns>Why an item must stay as it is; null where nothing speaks against the change.</returns>
    private static string? Refusal(OutboxChangeOrder order, StoredItem item)
    {
        var state = OutboxStates.Of(item.State);
        if (!order.Replay)
        {
            return state is OutboxState.Sending ? "it is being sent"
                : state is OutboxState.Sent or OutboxState.Discarded ? "it has ended"
                : !state.IsFinished() && item.Attempting ? "it may have been sent, and is on its way by itself"
                : null;
        }

        return state switch
        {
            OutboxState.Failed => null,
            OutboxState.Expired => item.Attempting && !order.MaySendTwice ? "it may have been sent; --may-send-twice sends it again" : null,
            OutboxState.Unknown => order.MaySendTwice ? null : "it may have been sent; --may-send-twice sends it again",
            OutboxState.Held => item.Reason is UnopenableReason.MissingKey or UnopenableReason.Damaged ? "it does not open" : "its route is paused; outbox resume lets it go on",
            OutboxState.Sent => "it was sent",
            OutboxState.Discarded => "it was discarded",
            _ => "it is on its way by itself",
        };
    }
}
