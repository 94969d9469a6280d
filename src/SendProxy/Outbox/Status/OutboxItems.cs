using SendProxy.Outbox.Messages;
using SendProxy.Queueing;

namespace SendProxy.Outbox.Status;

/// <summary>Which stored messages are meant. Null and empty: all.</summary>
/// <param name="Namespace">Whose; null: of all, for operators.</param>
/// <param name="OlderThan">Accepted before.</param>
internal sealed record OutboxFilter(
    IReadOnlyList<OutboxState> States, string? Namespace = null, string? Route = null, string? Reference = null, string? Reason = null, DateTimeOffset? OlderThan = null,
    string? Key = null, string? MessageId = null, string? Recipient = null)
{
    /// <summary>Whether it asks for what only the whole message tells: the vendor's answer, or the body.</summary>
    public bool NeedsWhole => MessageId is not null || Recipient is not null;

    /// <summary>The same of a whole message. A recipient is looked for in the body as it stands there, and kept nowhere.</summary>
    public bool MatchesWhole(StoredItem item) =>
        (MessageId is null || OutboxResponse.Read(item.Response)?.MessageId == MessageId)
        && (Recipient is null || item.Body is { } body && body.Span.IndexOf(System.Text.Encoding.UTF8.GetBytes(Recipient)) >= 0);

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
    private const int ScanWholeItems = 2_000;

    /// <param name="cursor">The <see cref="OutboxPage.Next"/> of the page before, or null.</param>
    public async Task<OutboxPage> PageAsync(OutboxFilter filter, string? cursor, int max, CancellationToken cancellation)
    {
        IReadOnlyList<ItemState?> steps = filter.States.Count == 0 ? [null] : [.. filter.States.Distinct().Select(s => (ItemState?)s.Stored())];
        var (step, after) = Parse(cursor);
        var found = new List<StoredItem>();
        var scanned = 0;
        while (step < steps.Count && found.Count < max && scanned < (filter.NeedsWhole ? ScanWholeItems : ScanItems))
        {
            // Never more than there is room for: the cursor stands behind whole pages only.
            var page = await journal.Queue.ListAsync(
                new ListRequest(OutboxEnvelope.Queue, steps[step], after, Math.Min(PageItems, max - found.Count)), cancellation);
            if (page.Value is not { } read)
            {
                return new OutboxPage(found, null, page.Error);
            }

            foreach (var item in read.Items.Where(filter.Matches))
            {
                if (!filter.NeedsWhole)
                {
                    found.Add(item);
                }
                else if ((await journal.Queue.GetAsync(OutboxEnvelope.Queue, item.Id, cancellation)).Value is { } whole && filter.MatchesWhole(whole))
                {
                    found.Add(whole);
                }
            }

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
