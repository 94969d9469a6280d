using System.Buffers;
using System.Text;
using System.Text.Json;
using SendProxy.Configuration;
using SendProxy.Errors;
using SendProxy.Hosting;
using SendProxy.Outbox.Messages;
using SendProxy.Outbox.Status;
using SendProxy.Queueing;

namespace SendProxy.Admin;

/// <summary>
/// Messages of the outbox over the admin socket, of all namespaces: list, show, replay, discard, edit, pause and resume a route. Bodies name
/// recipients, so they are told only when they are asked for.
/// </summary>
internal sealed class OutboxAdmin(JournalHost journal, Live<OutboxRoutes> live, TimeProvider time)
{
    private const int MaxItems = 1000;
    private const int DefaultItems = 100;
    private const string OperatorReason = "operator";

    private static readonly OutboxState[] NeedAPerson = [OutboxState.Held, OutboxState.Failed, OutboxState.Unknown, OutboxState.Expired];

    private readonly OutboxItems _items = new(journal);
    private readonly OutboxChanges _changes = new(journal);

    /// <returns>Null where the request is for something else.</returns>
    public Task? Handle(HttpContext context)
    {
        var (method, path) = (context.Request.Method, context.Request.Path.Value ?? "");
        return !path.StartsWith(AdminSocket.OutboxPath, StringComparison.Ordinal) ? null
            : !journal.IsOpen ? NotFoundAsync(context, "This proxy stores no messages.")
            : (method, path) switch
            {
                ("GET", AdminSocket.OutboxPath) => ListAsync(context),
                ("POST", AdminSocket.OutboxReplayPath) => ChangeAsync(context, replay: true),
                ("POST", AdminSocket.OutboxDiscardPath) => ChangeAsync(context, replay: false),
                ("POST", AdminSocket.OutboxPausePath) => PauseAsync(context, pause: true),
                ("POST", AdminSocket.OutboxResumePath) => PauseAsync(context, pause: false),
                ("POST", AdminSocket.OutboxEditPath) => EditAsync(context),
                ("GET", _) when path.StartsWith(AdminSocket.OutboxPath + "/", StringComparison.Ordinal) => ShowAsync(context, path[(AdminSocket.OutboxPath.Length + 1)..]),
                _ => null,
            };
    }

    private async Task ListAsync(HttpContext context)
    {
        if (Filter(context.Request, out var wrong) is not { } filter)
        {
            await NotFoundAsync(context, wrong);
            return;
        }

        var page = await _items.PageAsync(filter, context.Request.Query["cursor"], Max(context.Request), context.RequestAborted);
        await (page.Error is { } error ? RefuseAsync(context, error) : WriteAsync(context, OutboxEndpoint.Body(page)));
    }

    private async Task ShowAsync(HttpContext context, string text)
    {
        var found = Guid.TryParse(text, out var id) ? await journal.Queue.GetAsync(OutboxEnvelope.Queue, id, context.RequestAborted) : default;
        await (found.Error is { } error ? RefuseAsync(context, error)
            : found.Value is { } item ? WriteAsync(context, Whole(item, context.Request.Query["body"] == "true"))
            : NotFoundAsync(context, $"There is no message {text}: it was removed after journal.retention, or the id is another journal's."));
    }

    private async Task ChangeAsync(HttpContext context, bool replay)
    {
        if (Filter(context.Request, out var wrong) is not { } filter)
        {
            await NotFoundAsync(context, wrong);
            return;
        }

        var query = context.Request.Query;
        var order = new OutboxChangeOrder(replay, query["dryRun"] == "true", query["maySendTwice"] == "true");
        var ids = query["id"].OfType<string>().ToArray();
        var (items, unknown, next, error) = await FindAsync(filter, ids, context.Request, context.RequestAborted);
        var (view, failed) = error is null ? await _changes.ChangeAsync(order, items, unknown, next, context.RequestAborted) : (null, error);
        await (failed is { } why ? RefuseAsync(context, why) : AdminJson.WriteAsync(context, view!, AdminJson.Default.WebhookChangeView));
    }

    private async Task<(IReadOnlyList<StoredItem> Items, IReadOnlyList<string> Unknown, string? Next, QueueError? Error)> FindAsync(
        OutboxFilter filter, string[] ids, HttpRequest request, CancellationToken cancellation)
    {
        if (ids.Length == 0)
        {
            var page = await _items.PageAsync(filter, request.Query["cursor"], Max(request), cancellation);
            return (page.Items, [], page.Next, page.Error);
        }

        var (items, unknown) = (new List<StoredItem>(), new List<string>());
        foreach (var text in ids)
        {
            var found = Guid.TryParse(text, out var id) ? await journal.Queue.GetAsync(OutboxEnvelope.Queue, id, cancellation) : default;
            if (found.Error is { } error)
            {
                return ([], [], null, error);
            }

            if (found.Value is { } item)
            {
                items.Add(item);
            }
            else
            {
                unknown.Add(text);
            }
        }

        return (items, unknown, null, null);
    }

    private async Task PauseAsync(HttpContext context, bool pause)
    {
        var route = context.Request.Query["route"].ToString();
        if (!live.Current.ByName.ContainsKey(route))
        {
            await NotFoundAsync(context, $"There is no route {Spelling.Quoted(route)}; routes are {string.Join(", ", live.Current.ByName.Keys.Order(StringComparer.Ordinal))}.");
            return;
        }

        var result = pause
            ? await journal.Queue.HoldAsync(new Hold(OutboxEnvelope.Queue, HoldScope.Route, route, OperatorReason), context.RequestAborted)
            : await journal.Queue.ReleaseAsync(OutboxEnvelope.Queue, HoldScope.Route, route, context.RequestAborted);
        var counts = await journal.Queue.CountsAsync(OutboxEnvelope.Queue, context.RequestAborted);
        if ((result.Error ?? counts.Error) is { } error)
        {
            await RefuseAsync(context, error);
            return;
        }

        var waiting = counts.Value!.Where(c => c.Route == route && !c.State.IsFinished()).Sum(c => c.Items);
        await AdminJson.WriteAsync(context, new OutboxPauseView(route, pause, result.IsDone, waiting), AdminJson.Default.OutboxPauseView);
    }

    // Another body is another message: it gets another key, and what may have been sent is refused by the queue.
    private async Task EditAsync(HttpContext context)
    {
        var text = context.Request.Query["id"].ToString();
        var found = Guid.TryParse(text, out var id) ? await journal.Queue.GetAsync(OutboxEnvelope.Queue, id, context.RequestAborted) : default;
        if (found.Value is not { Metadata: { } metadata } item || OutboxEnvelope.Read(metadata) is not { } envelope)
        {
            await (found.Error is { } error ? RefuseAsync(context, error) : NotFoundAsync(context, $"There is no message {text}, or it does not open."));
            return;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        var key = item.IdempotencyKey is null ? null : Secrets.RandomId.Next(time.GetUtcNow()).ToString();
        var edited = envelope with { KeyOrigin = key is null ? envelope.KeyOrigin : Sending.Idempotency.IdempotencyKeyOrigin.Generated };
        var result = await journal.Queue.EditAsync(OutboxEnvelope.Queue, id, new Edit(edited.ToBytes(), body.ToArray(), key), CancellationToken.None);
        var state = OutboxStates.Of(result.State ?? item.State);
        await (result.Error is { } failed ? RefuseAsync(context, failed)
            : result.IsDone ? AdminJson.WriteAsync(context, new WebhookChangeView(1, 1, [], [], null), AdminJson.Default.WebhookChangeView)
            : NotFoundAsync(context, $"The message {text} is {state.Word()}: only one that waits or failed, and cannot have been sent, takes another body."));
    }

    private OutboxFilter? Filter(HttpRequest request, out string wrong)
    {
        var query = request.Query;
        var states = new List<OutboxState>();
        wrong = "";
        foreach (var word in query["state"].OfType<string>())
        {
            if (word != "any" && OutboxStates.Parse(word) is null)
            {
                wrong = $"{word} is no state. States are any, {string.Join(", ", Enum.GetValues<OutboxState>().Select(s => s.Word()))}.";
                return null;
            }

            states.AddRange(word == "any" ? [] : [OutboxStates.Parse(word)!.Value]);
        }

        string? Text(string name) => query[name].ToString() is { Length: > 0 } text ? text : null;
        if (Text("olderThan") is { } age && !Units.TryDuration(age, out _))
        {
            wrong = $"{age} is no age: {Units.DurationForm}.";
            return null;
        }

        var older = Text("olderThan") is { } written && Units.TryDuration(written, out var wait) ? time.GetUtcNow() - wait : (DateTimeOffset?)null;
        return new OutboxFilter(
            query["state"].Count == 0 ? NeedAPerson : states, null, Text("route"), Text("reference"), Text("reason"), older, Text("key"), Text("messageId"), Text("recipient"));
    }

    private static ReadOnlyMemory<byte> Whole(StoredItem item, bool withBody)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WritePropertyName("message");
            OutboxView.Write(json, item, whole: withBody);
            json.WriteString("namespace", item.Group);
            if (item.Metadata is { } metadata && OutboxEnvelope.Read(metadata) is { } envelope)
            {
                json.WriteString("upstream", envelope.Upstream);
                json.WriteString("target", withBody ? envelope.Target : envelope.Target.Split('?')[0]);
                json.WriteString("lane", envelope.Lane);
                json.WriteString("headers", string.Join(", ", envelope.Headers.Select(h => h.Key)));
            }

            json.WriteString("credential", item.KeyFingerprint);
            json.WriteNumber("bodyBytes", item.Body?.Length ?? 0);
            if (withBody && item.Body is { } body)
            {
                var isText = System.Text.Unicode.Utf8.IsValid(body.Span);
                json.WriteString(isText ? "body" : "bodyBase64", isText ? Encoding.UTF8.GetString(body.Span) : Convert.ToBase64String(body.Span));
            }

            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private static int Max(HttpRequest request) => int.TryParse(request.Query["max"], out var max) ? Math.Clamp(max, 1, MaxItems) : DefaultItems;

    private static Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> body)
    {
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static Task NotFoundAsync(HttpContext context, string why) =>
        Problem.WriteAsync(context, Refusal.NotSent(ProxyError.NotFound, why), Guid.NewGuid().ToString());

    private static Task RefuseAsync(HttpContext context, QueueError error) => Problem.WriteAsync(
        context, Refusal.NotSent(ProxyError.JournalUnavailable, $"The journal cannot be asked now: {error}."), Guid.NewGuid().ToString());
}
