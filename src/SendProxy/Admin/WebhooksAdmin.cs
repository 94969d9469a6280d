using System.Text;
using SendProxy.Errors;
using SendProxy.Hosting;
using SendProxy.Queueing;

namespace SendProxy.Admin;

/// <summary>
/// Stored webhook items over the admin socket: list, show, and change by hand. Bodies name recipients, so they are told only
/// when they are asked for.
/// </summary>
internal sealed class WebhooksAdmin(JournalHost journal)
{
    private const int MaxItems = 1000;
    private const int DefaultItems = 100;

    private readonly WebhookItems _items = new(journal);
    private readonly WebhookChanges _changes = new(journal);

    /// <returns>Null where the request is for something else.</returns>
    public Task? Handle(HttpContext context)
    {
        var (method, path) = (context.Request.Method, context.Request.Path.Value ?? "");
        return (method, path) switch
        {
            ("GET", AdminSocket.WebhooksPath) => ListAsync(context),
            ("POST", AdminSocket.WebhooksReplayPath) => ChangeAsync(context, WebhookChange.Replay),
            ("POST", AdminSocket.WebhooksDiscardPath) => ChangeAsync(context, WebhookChange.Discard),
            ("GET", _) when path.StartsWith(AdminSocket.WebhooksPath + "/", StringComparison.Ordinal) =>
                ShowAsync(context, path[(AdminSocket.WebhooksPath.Length + 1)..]),
            _ => null,
        };
    }

    private async Task ListAsync(HttpContext context)
    {
        if (await ReadFilterAsync(context) is not { } filter)
        {
            return;
        }

        var page = await _items.PageAsync(filter, context.Request.Query["cursor"], Max(context.Request), context.RequestAborted);
        if (page.Error is { } error)
        {
            await RefuseAsync(context, error);
            return;
        }

        var view = new WebhookListView([.. page.Items.Select(found => View(found.Item, found.Envelope))], page.Next);
        await AdminJson.WriteAsync(context, view, AdminJson.Default.WebhookListView);
    }

    private async Task ShowAsync(HttpContext context, string text)
    {
        if (!journal.IsOpen)
        {
            await NotFoundAsync(context, "This proxy stores no webhooks.");
            return;
        }

        var found = Guid.TryParse(text, out var id) ? await _items.FindAsync(id, context.RequestAborted) : default;
        if (found.Error is { } error)
        {
            await RefuseAsync(context, error);
            return;
        }

        if (found.Value is not { } item)
        {
            await NotFoundAsync(context, $"There is no stored webhook item {text}: it was removed, or the id is another process's.");
            return;
        }

        var envelope = item.Metadata is { } metadata ? EventEnvelope.Read(metadata) : null;
        var view = View(item, envelope) with { Content = envelope is null ? null : Content(item, envelope, context.Request.Query["body"] == "true") };
        await AdminJson.WriteAsync(context, view, AdminJson.Default.WebhookItemView);
    }

    private async Task ChangeAsync(HttpContext context, WebhookChange change)
    {
        if (await ReadFilterAsync(context) is not { } filter)
        {
            return;
        }

        var query = context.Request.Query;
        var order = new WebhookChangeOrder(change, filter, query["dryRun"] == "true", query["maySendTwice"] == "true");
        var ids = query["id"].OfType<string>().ToArray();
        var (view, error) = ids.Length > 0
            ? await _changes.ChangeAsync(order, ids, context.RequestAborted)
            : await _changes.ChangeAsync(order, query["cursor"], Max(context.Request), context.RequestAborted);
        await (error is { } failed ? RefuseAsync(context, failed) : AdminJson.WriteAsync(context, view, AdminJson.Default.WebhookChangeView));
    }

    /// <returns>Null when the request was answered already.</returns>
    private async Task<WebhookFilter?> ReadFilterAsync(HttpContext context)
    {
        if (!journal.IsOpen)
        {
            await NotFoundAsync(context, "This proxy stores no webhooks.");
            return null;
        }

        var states = new List<ItemState>();
        foreach (var word in context.Request.Query["state"].OfType<string>())
        {
            if (WebhookFilter.ParseState(word) is not { } state)
            {
                await NotFoundAsync(context, $"{word} is no state. States are {string.Join(", ", Enum.GetValues<ItemState>().Select(s => s.WireName()))}.");
                return null;
            }

            states.Add(state);
        }

        return new WebhookFilter(states, context.Request.Query["source"], context.Request.Query["subscriber"]);
    }

    private static int Max(HttpRequest request) =>
        int.TryParse(request.Query["max"], out var max) ? Math.Clamp(max, 1, MaxItems) : DefaultItems;

    private static WebhookItemView View(StoredItem item, EventEnvelope? envelope)
    {
        var isDelivery = item.Queue == EventEnvelope.Deliveries;
        return new WebhookItemView(
            item.Id.ToString(), isDelivery ? "delivery" : "event", item.State.WireName(), envelope?.Source, isDelivery ? item.Route : null,
            envelope?.Type, envelope?.Id, envelope?.MessageId, envelope?.Received ?? item.Created, item.Attempts,
            item.Response?.Status, item.Reason, item.Due, item.Finished);
    }

    private static WebhookContentView Content(StoredItem item, EventEnvelope envelope, bool withBody)
    {
        var body = item.Body.GetValueOrDefault();
        var text = withBody && item.Body is not null && System.Text.Unicode.Utf8.IsValid(body.Span) ? Encoding.UTF8.GetString(body.Span) : null;
        return new WebhookContentView(
            envelope.ContentType, [.. envelope.Headers.Select(header => header.Name)], body.Length, text,
            withBody && text is null ? Convert.ToBase64String(body.Span) : null);
    }

    private static Task NotFoundAsync(HttpContext context, string why) =>
        Problem.WriteAsync(context, Refusal.NotSent(ProxyError.NotFound, why), Guid.NewGuid().ToString());

    private static Task RefuseAsync(HttpContext context, QueueError error) => Problem.WriteAsync(
        context, Refusal.NotSent(ProxyError.JournalUnavailable, $"The journal cannot be asked now: {error}."), Guid.NewGuid().ToString());
}
