using SendProxy.Queueing;

namespace SendProxy.Admin;

/// <summary>Which stored webhook items are meant.</summary>
/// <param name="States">Empty: those that need a person, which are held, dead, unknown and expired ones.</param>
/// <param name="Source">Null: of any source.</param>
/// <param name="Subscriber">Null: on their way to anybody, or not yet to anybody.</param>
internal sealed record WebhookFilter(IReadOnlyList<ItemState> States, string? Source, string? Subscriber)
{
    private static readonly ItemState[] NeedAPerson = [ItemState.Held, ItemState.Dead, ItemState.Unknown, ItemState.Expired];

    public IReadOnlyList<ItemState> AllStates => States.Count > 0 ? States : NeedAPerson;

    /// <summary>Whether the item is meant. Of an item that does not open, the source is not known.</summary>
    public bool Matches(StoredItem item, EventEnvelope? envelope) =>
        (Source is null || envelope?.Source == Source)
        && (Subscriber is null || (item.Queue == EventEnvelope.Deliveries && item.Route == Subscriber));

    /// <returns>Null where a word is no state.</returns>
    public static ItemState? ParseState(string word)
    {
        foreach (var state in Enum.GetValues<ItemState>())
        {
            if (state.WireName() == word)
            {
                return state;
            }
        }

        return null;
    }
}

/// <summary>One page of stored webhook items.</summary>
/// <param name="Next">Where the next page begins; null on the last one.</param>
internal sealed record WebhookPage(IReadOnlyList<(StoredItem Item, EventEnvelope? Envelope)> Items, string? Next, QueueError? Error = null);

/// <summary>
/// Walks the events that wait for their fan-out and the deliveries to subscribers, state by state, in order of arrival. Each
/// step reads a bounded number of items, so that commits are never held up.
/// </summary>
internal sealed class WebhookItems(JournalHost journal)
{
    private const int PageItems = 200;

    // One call looks at so many items at most, whatever the filter leaves of them.
    private const int ScanItems = 20_000;

    private static readonly string[] Queues = [EventEnvelope.Events, EventEnvelope.Deliveries];

    /// <param name="cursor">The <see cref="WebhookPage.Next"/> of the page before, or null.</param>
    /// <param name="max">Most items of this page.</param>
    public async Task<WebhookPage> PageAsync(WebhookFilter filter, string? cursor, int max, CancellationToken cancellation)
    {
        var steps = (from queue in Queues from state in filter.AllStates.Distinct() select (queue, state)).ToArray();
        var (step, after) = Parse(cursor);
        var found = new List<(StoredItem, EventEnvelope?)>();
        var scanned = 0;
        while (step < steps.Length && found.Count < max && scanned < ScanItems)
        {
            // Never more than there is room for: the cursor stands behind whole pages only.
            var page = await journal.Queue.ListAsync(
                new ListRequest(steps[step].queue, steps[step].state, after, Math.Min(PageItems, max - found.Count)), cancellation);
            if (page.Value is not { } read)
            {
                return new WebhookPage(found, null, page.Error);
            }

            foreach (var item in read.Items)
            {
                var envelope = item.Metadata is { } metadata ? EventEnvelope.Read(metadata) : null;
                if (filter.Matches(item, envelope))
                {
                    found.Add((item, envelope));
                }
            }

            scanned += Math.Max(1, read.Items.Count);
            (step, after) = read.Next is { } next ? (step, next) : (step + 1, null);
        }

        return new WebhookPage(found, step < steps.Length ? $"{step}:{after}" : null);
    }

    /// <summary>The item of this id in one of the two queues.</summary>
    public async Task<QueueRead<StoredItem>> FindAsync(Guid id, CancellationToken cancellation)
    {
        foreach (var queue in Queues)
        {
            var found = await journal.Queue.GetAsync(queue, id, cancellation);
            if (found.Value is not null || found.Error is not null)
            {
                return found;
            }
        }

        return default;
    }

    private static (int Step, string? After) Parse(string? cursor)
    {
        var colon = cursor?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        return colon > 0 && int.TryParse(cursor.AsSpan(0, colon), out var step) && step >= 0
            ? (step, cursor!.Length > colon + 1 ? cursor[(colon + 1)..] : null)
            : (0, null);
    }
}
