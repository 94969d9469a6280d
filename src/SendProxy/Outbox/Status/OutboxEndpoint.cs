using System.Buffers;
using System.Text.Json;
using SendProxy.Configuration;
using SendProxy.Errors;
using SendProxy.Outbox.Messages;
using SendProxy.Queueing;

namespace SendProxy.Outbox.Status;

/// <summary>
/// What callers of the local port ask of stored messages: <c>GET</c> and <c>DELETE /sendproxy/outbox/{id}</c>, <c>GET /sendproxy/outbox</c>.
/// Only messages of the port's own namespace; those of others are not there. The guard stands before it.
/// </summary>
internal sealed class OutboxEndpoint(JournalHost journal, Live<OutboxRoutes> live, OutboxSignals signals, OutboxDepth depth, OutboxMetrics metrics, TimeProvider time)
{
    public const string Path = "/sendproxy/outbox";

    // How soon what another process did is seen.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(1);
    private const int MaxItems = 1000;
    private const int DefaultItems = 100;

    private readonly OutboxItems _items = new(journal);

    /// <returns>Whether the target is the outbox's.</returns>
    public static bool IsIts(string target) =>
        target.StartsWith(Path, StringComparison.Ordinal) && (target.Length == Path.Length || target[Path.Length] is '/' or '?');

    /// <summary>Answers, or says why not.</summary>
    public async ValueTask<Refusal?> HandleAsync(HttpContext context)
    {
        var (method, path) = (context.Request.Method, context.Request.Path.Value ?? "");
        if (path.Length <= Path.Length + 1)
        {
            return HttpMethods.IsGet(method) ? await ListAsync(context) : NotAllowed("Messages are listed by GET, and stored by POST.", "GET, POST");
        }

        if (!Guid.TryParse(path.AsSpan(Path.Length + 1), out var id))
        {
            return NotFound("An id of the outbox is a UUID, as Location says.");
        }

        return HttpMethods.IsGet(method) || HttpMethods.IsHead(method) ? await ShowAsync(context, id)
            : HttpMethods.IsDelete(method) ? await CancelAsync(context, id)
            : NotAllowed("A message of the outbox takes GET and DELETE.", "GET, DELETE");
    }

    /// <summary>The message as it is told.</summary>
    public static ReadOnlyMemory<byte> Body(StoredItem item, bool whole)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            OutboxView.Write(json, item, whole);
        }

        return buffer.WrittenMemory;
    }

    private async ValueTask<Refusal?> ShowAsync(HttpContext context, Guid id)
    {
        var until = time.GetTimestamp() + (long)(Wait(context.Request).TotalSeconds * time.TimestampFrequency);
        while (true)
        {
            var read = await journal.Queue.GetAsync(OutboxEnvelope.Queue, id, context.RequestAborted);
            if (read.Error is not null)
            {
                return Unavailable();
            }

            if (read.Value is not { } item || item.Group != live.Current.Options.Namespace)
            {
                return NoMessage();
            }

            var left = time.GetElapsedTime(time.GetTimestamp(), until);
            if (OutboxStates.Of(item.State).IsFinished() || left <= TimeSpan.Zero)
            {
                await AnswerAsync(context, Body(item, whole: true));
                return null;
            }

            await signals.WaitAsync(id, left < Look ? left : Look, time, context.RequestAborted);
        }
    }

    private async ValueTask<Refusal?> CancelAsync(HttpContext context, Guid id)
    {
        var read = await journal.Queue.GetAsync(OutboxEnvelope.Queue, id, context.RequestAborted);
        if (read.Error is not null)
        {
            return Unavailable();
        }

        if (read.Value is not { } item || item.Group != live.Current.Options.Namespace)
        {
            return NoMessage();
        }

        var state = OutboxStates.Of(item.State);
        if (state is OutboxState.Sending || state.IsFinished() || item.Attempting)
        {
            return Begun(state, state == OutboxState.Sent ? Sent.Yes : state is OutboxState.Failed or OutboxState.Expired or OutboxState.Discarded ? Sent.No : Sent.Maybe);
        }

        var discarded = await journal.Queue.DiscardAsync(OutboxEnvelope.Queue, id, CancellationToken.None);
        if (!discarded.IsDone)
        {
            return discarded.Verdict == QueueVerdict.Refused ? Begun(OutboxStates.Of(discarded.State!.Value), Sent.Maybe) : discarded.Verdict == QueueVerdict.NotFound ? NoMessage() : Unavailable();
        }

        depth.Ended(item.Route);
        metrics.Ended(item.Route, OutboxState.Discarded, time.GetUtcNow() - item.Created);
        signals.Moved(id);
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return null;
    }

    private async ValueTask<Refusal?> ListAsync(HttpContext context)
    {
        var query = context.Request.Query;
        var states = new List<OutboxState>();
        foreach (var word in query["state"].OfType<string>().SelectMany(s => s.Split(',')))
        {
            if (OutboxStates.Parse(word) is not { } state)
            {
                return Refusal.NotSent(ProxyError.RequestMalformed,
                    $"{Spelling.Quoted(word)} is no state; states are {string.Join(", ", Enum.GetValues<OutboxState>().Select(s => s.Word()))}.");
            }

            states.Add(state);
        }

        string? Text(string name) => query[name].ToString() is { Length: > 0 } text ? text : null;
        var filter = new OutboxFilter(states, live.Current.Options.Namespace, Text("route"), Text("reference"), Text("reason"), Key: Text("idempotencyKey"));
        var max = int.TryParse(query["max"], out var asked) ? Math.Clamp(asked, 1, MaxItems) : DefaultItems;
        var page = await _items.PageAsync(filter, Text("cursor"), max, context.RequestAborted);
        if (page.Error is not null)
        {
            return Unavailable();
        }

        await AnswerAsync(context, Body(page));
        return null;
    }

    /// <summary>A page as it is told.</summary>
    public static ReadOnlyMemory<byte> Body(OutboxPage page)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("items");
            foreach (var item in page.Items)
            {
                OutboxView.Write(json, item, whole: false);
            }

            json.WriteEndArray();
            json.WriteString("next", page.Next);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private TimeSpan Wait(HttpRequest request)
    {
        var most = live.Current.Options.MaxWait;
        return Units.TryDuration(request.Query["wait"].ToString(), out var wait) ? wait < most ? wait : most : TimeSpan.Zero;
    }

    private static Task AnswerAsync(HttpContext context, ReadOnlyMemory<byte> body)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        context.Response.Headers.CacheControl = "no-store";
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static Refusal NoMessage() => NotFound("There is no message of this id: it was removed after journal.retention, or is another application's.");

    private static Refusal Unavailable() => Refusal.NotSent(ProxyError.JournalUnavailable, "The journal cannot be asked now.", TryAgain);

    private static Refusal NotAllowed(string detail, string methods) => Refusal.NotSent(ProxyError.MethodNotAllowed, detail) with { Allow = methods };

    private static Refusal Begun(OutboxState state, Sent sent) => new(ProxyError.MessageBegun, sent, state.IsFinished()
        ? $"The message is {state.Word()}: it has ended."
        : $"The message is {state.Word()}: an attempt of it may have been sent.");

    private static Refusal NotFound(string detail) => Refusal.NotSent(ProxyError.NotFound, detail);
}
