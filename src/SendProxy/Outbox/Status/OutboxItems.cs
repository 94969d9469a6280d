using SendProxy.Outbox.Messages;
using SendProxy.Queueing;

namespace SendProxy.Outbox.Status;

/// <summary>Which stored messages are meant. Null and empty: all.</summary>
/// <param name="Namespace">Whose; null: of all, for operators.</param>
/// <param name="OlderThan">Accepted before.</param>
internal sealed record OutboxFilter(
    IReadOnlyList<OutboxState> States, string? Namespace = null, string? Route = null, string? Reference = null, string? Reason = null, DateTimeOffset? OlderThan = null,
    string? Key = null)
{
    public bool Matches(StoredItem item) =>
        (Namespace is null || item.Group == Namespace)
        && (Route is null || item.Route == Route)
        && (Reason is null || item.Reason == Reason)
        && (Key is null || item.IdempotencyKey == Key)
        && (OlderThan is null || item.Created < OlderThan)
        && (Reference is null || (item.Metadata is { } metadata && OutboxEnvelope.Read(metadata)?.Reference == Reference));
}

/// <summary>One page of stored messages.</summary>
/// <param name="Next">Where the next page begins; null on the last one.</param>
internal sealed record OutboxPage(IReadOnlyList<StoredItem> Items, string? Next, QueueError? Error = null);

/// <summary>Walks stored messages state by state in order of arrival, a bounded number at a time, so that commits are never held up.</summary>
internal sealed class OutboxItems(JournalHost journal)
{
    private const int PageItems = 200;

    // One call looks at so many items at most, whatever the filter leaves of them.
    private const int ScanItems = 20_000;

    /// <param name="cursor">The <see cref="OutboxPage.Next"/> of the page before, or null.</param>
    public async Task<OutboxPage> PageAsync(OutboxFilter filter, string? cursor, int max, CancellationToken cancellation)
    {
        IReadOnlyList<ItemState?> steps = filter.States.Count == 0 ? [null] : [.. filter.States.Distinct().Select(s => (ItemState?)s.Stored())];
        var (step, after) = Parse(cursor);
        var found = new List<StoredItem>();
        var scanned = 0;
        while (step < steps.Count && found.Count < max && scanned < ScanItems)
        {
            // Never more than there is room for: the cursor stands behind whole pages only.
            var page = await journal.Queue.ListAsync(
                new ListRequest(OutboxEnvelope.Queue, steps[step], after, Math.Min(PageItems, max - found.Count)), cancellation);
            if (page.Value is not { } read)
            {
                return new OutboxPage(found, null, page.Error);
            }

            found.AddRange(read.Items.Where(filter.Matches));
            scanned += Math.Max(1, read.Items.Count);
            (step, after) = read.Next is { } next ? (step, next) : (step + 1, null);
        }

        return new OutboxPage(found, step < steps.Count ? $"{step}:{after}" : null);
    }

    private static (int Step, string? After) Parse(string? cursor)
    {
        var colon = cursor?.IndexOf(':', StringComparison.Ordinal) ?? -1;
        return colon > 0 && int.TryParse(cursor.AsSpan(0, colon), out var step) && step >= 0
            ? (step, cursor!.Length > colon + 1 ? cursor[(colon + 1)..] : null)
            : (0, null);
    }
}
