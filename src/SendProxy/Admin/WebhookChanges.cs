using SendProxy.Queueing;

namespace SendProxy.Admin;

/// <summary>What an operator may do with stored webhook items.</summary>
internal enum WebhookChange
{
    /// <summary>Give it to its subscriber again; or lift the hold that it waits behind.</summary>
    Replay,

    /// <summary>End it: nobody gets it any more.</summary>
    Discard,
}

/// <param name="DryRun">Only count.</param>
/// <param name="MaySendTwice">Also what may have arrived already.</param>
internal sealed record WebhookChangeOrder(WebhookChange Change, WebhookFilter Filter, bool DryRun, bool MaySendTwice);

/// <summary>Carries out what an operator orders for one item or for all that a filter means, a page at a time.</summary>
internal sealed class WebhookChanges(JournalHost journal)
{
    private readonly WebhookItems _items = new(journal);

    /// <summary>Changes one page of what the filter means.</summary>
    public async Task<(WebhookChangeView View, QueueError? Error)> ChangeAsync(
        WebhookChangeOrder order, string? cursor, int max, CancellationToken cancellation)
    {
        var page = await _items.PageAsync(order.Filter, cursor, max, cancellation);
        return page.Error is { } error
            ? (Empty, error)
            : await ChangeAsync(order, [.. page.Items.Select(found => found.Item)], [], page.Next, cancellation);
    }

    /// <summary>Changes the named items, in whatever state they are.</summary>
    public async Task<(WebhookChangeView View, QueueError? Error)> ChangeAsync(
        WebhookChangeOrder order, IReadOnlyList<string> ids, CancellationToken cancellation)
    {
        var items = new List<StoredItem>();
        var refused = new List<WebhookRefusalView>();
        foreach (var text in ids)
        {
            var found = Guid.TryParse(text, out var id) ? await _items.FindAsync(id, cancellation) : default;
            if (found.Error is { } error)
            {
                return (Empty, error);
            }

            if (found.Value is { } item)
            {
                items.Add(item);
            }
            else
            {
                refused.Add(new WebhookRefusalView(text, "none", "there is no stored webhook item of this id"));
            }
        }

        return await ChangeAsync(order, items, refused, null, cancellation);
    }

    private static WebhookChangeView Empty { get; } = new(0, 0, [], [], null);

    private async Task<(WebhookChangeView View, QueueError? Error)> ChangeAsync(
        WebhookChangeOrder order, List<StoredItem> items, List<WebhookRefusalView> refused, string? next, CancellationToken cancellation)
    {
        var (changed, matched) = (0, items.Count + refused.Count);
        var held = new SortedSet<string>(StringComparer.Ordinal);
        var changing = new List<(StoredItem Item, Task<QueueResult> Change)>();
        foreach (var item in items)
        {
            if (Refusal(order, item) is { } why)
            {
                refused.Add(new WebhookRefusalView(item.Id.ToString(), item.State.WireName(), why));
            }
            else if (order.Change == WebhookChange.Replay && item.State == ItemState.Held)
            {
                held.Add(item.Group);
                changed++;
            }
            else if (order.DryRun)
            {
                changed++;
            }
            else
            {
                changing.Add((item, ApplyAsync(order, item, cancellation).AsTask())); // All at once, so that they share commits.
            }
        }

        foreach (var (item, change) in changing)
        {
            var result = await change;
            if (result.IsDone)
            {
                changed++;
            }
            else if (result.Error is { } error)
            {
                return (Empty, error);
            }
            else
            {
                refused.Add(new WebhookRefusalView(item.Id.ToString(), (result.State ?? item.State).WireName(), "it is in this state by now"));
            }
        }

        foreach (var group in order.DryRun ? [] : held)
        {
            await journal.Queue.ReleaseAsync(EventEnvelope.Deliveries, HoldScope.Group, group, cancellation);
        }

        return (new WebhookChangeView(matched, changed, [.. held], refused, next), null);
    }

    private ValueTask<QueueResult> ApplyAsync(WebhookChangeOrder order, StoredItem item, CancellationToken cancellation) =>
        order.Change == WebhookChange.Replay
            ? journal.Queue.ReplayAsync(item.Queue, item.Id, new Replay(order.MaySendTwice), cancellation)
            : journal.Queue.DiscardAsync(item.Queue, item.Id, cancellation);

    /// <returns>Why an item must stay as it is; null where nothing speaks against the change.</returns>
    private static string? Refusal(WebhookChangeOrder order, StoredItem item)
    {
        if (order.Change == WebhookChange.Discard)
        {
            return item.State is ItemState.Leased ? "it is being delivered"
                : item.State is ItemState.Done or ItemState.Discarded ? "it is finished"
                : item.State.IsWaiting() && item.Attempting ? "an attempt of it may be under way"
                : null;
        }

        return item.State switch
        {
            ItemState.Held when item.Reason == UnopenableReason.MissingKey =>
                "its seal key is not in journal.sealKeys; add the key and restart, and it goes on by itself",
            ItemState.Held when item.Reason == UnopenableReason.Damaged => "its bytes are damaged and cannot be opened",
            ItemState.Dead or ItemState.Expired or ItemState.Held => null,
            ItemState.Unknown => order.MaySendTwice ? null : "it may have arrived; --may-send-twice delivers it again",
            ItemState.Done => "it was delivered",
            ItemState.Discarded => "it was discarded",
            _ => "it is on its way by itself",
        };
    }
}
