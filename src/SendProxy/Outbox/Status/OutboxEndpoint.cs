using System.Buffers;
using System.Text.Json;
using SendProxy.Configuration;
using SendProxy.Errors;
using SendProxy.Outbox.Messages;
using SendProxy.Queueing;

namespace SendProxy.Outbox.Status;

/// <summary>
/// What callers of the local port ask of stored messages: <c>GET /sendproxy/outbox/{id}</c>. Only messages of the port's own namespace;
/// those of others are not there. The guard stands before it.
/// </summary>
internal sealed class OutboxEndpoint(JournalHost journal, Live<OutboxRoutes> live, OutboxSignals signals, TimeProvider time)
{
    public const string Path = "/sendproxy/outbox";

    // How soon what another process did is seen.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(1);

    /// <returns>Whether the target is the outbox's.</returns>
    public static bool IsIts(string target) =>
        target.StartsWith(Path, StringComparison.Ordinal) && (target.Length == Path.Length || target[Path.Length] is '/' or '?');

    /// <summary>Answers, or says why not.</summary>
    public async ValueTask<Refusal?> HandleAsync(HttpContext context)
    {
        var (method, path) = (context.Request.Method, context.Request.Path.Value ?? "");
        if (path.Length <= Path.Length + 1)
        {
            return NotFound("Messages stand at /sendproxy/outbox/{id}, as Location says.");
        }

        if (!Guid.TryParse(path.AsSpan(Path.Length + 1), out var id))
        {
            return NotFound("An id of the outbox is a UUID, as Location says.");
        }

        return HttpMethods.IsGet(method) || HttpMethods.IsHead(method)
            ? await ShowAsync(context, id)
            : Refusal.NotSent(ProxyError.MethodNotAllowed, "A message of the outbox takes GET.") with { Allow = "GET" };
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
                return Refusal.NotSent(ProxyError.JournalUnavailable, "The journal cannot be asked now.", TryAgain);
            }

            if (read.Value is not { } item || item.Group != live.Current.Options.Namespace)
            {
                return NotFound("There is no message of this id: it was removed after journal.retention, or is another application's.");
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

    private static Refusal NotFound(string detail) => Refusal.NotSent(ProxyError.NotFound, detail);
}
