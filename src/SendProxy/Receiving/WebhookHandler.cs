using Microsoft.AspNetCore.Http.Features;
using SendProxy.Configuration;
using SendProxy.Errors;
using SendProxy.Hosting;
using SendProxy.Queueing;

namespace SendProxy.Receiving;

/// <summary>
/// The way of a webhook: 1 source, 2 head, 3 body, 4 signature, 5 events, 6 store, 7 answer, 8 log. Nothing is acknowledged
/// that is not stored; nothing of the body is read that the head already rules out.
/// </summary>
internal sealed class WebhookHandler(
    Live<ReceivingState> live, JournalHost journal, WebhookBodies bodies, WebhookTelemetry telemetry, TimeProvider time)
{
    private const string Prefix = "/webhooks/";

    public async Task HandleAsync(HttpContext context)
    {
        var start = time.GetTimestamp();
        var call = new WebhookCall(Secrets.RandomId.Next(time.GetUtcNow()).ToString());
        try
        {
            call.Source = Find(context.Request); // 1 source
            if (call.Source is { VerifyToken: { } token } && HttpMethods.IsGet(context.Request.Method))
            {
                await Challenge.AnswerAsync(context, call, token);
                return;
            }

            if (await TakeAsync(context, call) is { } rejection)
            {
                await RefuseAsync(context, call, rejection);
                return;
            }

            // 7 answer
            context.Response.StatusCode = call.Source!.Options.Acknowledge.Status;
            context.Response.ContentLength = context.Response.StatusCode == StatusCodes.Status204NoContent ? null : 0;
            context.Response.Headers["SendProxy-Durability"] = journal.Queue.Durability.WireName();
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The sender is gone; it will come again.
        }
        finally
        {
            telemetry.Ended(call, context.Response.StatusCode, time.GetElapsedTime(start)); // 8 log
            context.Features.Get<ListenerConnection>()?.RequestEnded(time.GetTimestamp());
        }
    }

    public static Task RefuseAsync(HttpContext context, WebhookCall call, Rejected rejected)
    {
        (call.Verdict, call.Reason) = (rejected.Reason.Word(), rejected.Reason);
        var refusal = rejected.Reason.ToRefusal(call.Source?.Options.Acknowledge.OverloadStatus ?? 503, rejected.RetryAfter, context);
        return Problem.WriteAsync(context, refusal, call.RequestId);
    }

    private Source? Find(HttpRequest request) =>
        request.Path.Value is { } path && path.StartsWith(Prefix, StringComparison.Ordinal)
            ? live.Current.Sources.GetValueOrDefault(path[Prefix.Length..])
            : null;

    private async Task<Rejected?> TakeAsync(HttpContext context, WebhookCall call)
    {
        if (call.Source is not { } source)
        {
            return Rejection.UnknownSource;
        }

        if (!HttpMethods.IsPost(context.Request.Method))
        {
            return Rejection.MethodNotAllowed;
        }

        // 2 head
        var (head, badHead) = CheckHead(context.Request, source.Options);
        if (head is null)
        {
            return badHead;
        }

        using var within = new CancellationTokenSource(source.Options.Acknowledge.Within, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(within.Token, context.RequestAborted);
        try
        {
            return await TakeBodyAsync(context.Request, call, source, head, ended.Token);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            return Rejection.TooSlow;
        }
    }

    private (SignedHead? Head, Rejection Rejection) CheckHead(HttpRequest request, SourceOptions source)
    {
        if (request.ContentLength > source.MaxBodyBytes)
        {
            return (null, Rejection.BodyTooLarge);
        }

        // The signature is over the bytes as sent; unpacking them would need bounds of its own, and no vendor packs.
        if (request.Headers.ContentEncoding.Count > 0 && request.Headers.ContentEncoding is not ["identity"])
        {
            return (null, Rejection.BodyEncoding);
        }

        return source.Recipe is null
            ? (SignedHead.Unsigned, default)
            : Verifier.CheckHead(source.Recipe, request.Headers, source.Tolerance, time.GetUtcNow());
    }

    private async Task<Rejected?> TakeBodyAsync(
        HttpRequest request, WebhookCall call, Source source, SignedHead head, CancellationToken cancellation)
    {
        // 3 body
        var (read, badBody) = await bodies.ReadAsync(request, source.Options.MaxBodyBytes, cancellation);
        using var body = read;
        if (body is null)
        {
            return badBody;
        }

        // From here on it takes a place: a sender that brings its body slowly takes none.
        if (!source.TryEnter())
        {
            return Rejection.Busy;
        }

        try
        {
            return await TakeEventsAsync(request, call, source, head, body, cancellation);
        }
        finally
        {
            source.Leave();
        }
    }

    private async Task<Rejected?> TakeEventsAsync(
        HttpRequest request, WebhookCall call, Source source, SignedHead head, WebhookBody body, CancellationToken cancellation)
    {
        // 4 signature
        var options = source.Options;
        call.Bytes = body.Bytes.Length;
        if (options.Recipe is { } recipe)
        {
            var keys = source.Keys;
            if (keys.Count == 0)
            {
                return Rejection.SecretUnavailable;
            }

            call.Key = Verifier.Matching(recipe, keys, head, body.Bytes, UrlOf(request, options));
            if (call.Key is null)
            {
                return Rejection.SignatureMismatch;
            }
        }

        // 5 events
        if (!WebhookBodies.TryPrepare(body))
        {
            return Rejection.Busy;
        }

        var verified = new VerifiedRequest(
            body.Bytes, request.ContentType ?? "", OriginalHeaders.Of(request, options),
            IdOf(request, options.Dedupe.Headers), Header(request, options.Events.TypeHeader), time.GetUtcNow());
        if (WebhookItemBuilder.Split(options, verified, time) is not { } items)
        {
            return Rejection.TooManyEvents;
        }

        // 6 store
        return await StoreAsync(call, items, body, cancellation);
    }

    private async Task<Rejected?> StoreAsync(WebhookCall call, IReadOnlyList<NewItem> items, WebhookBody body, CancellationToken cancellation)
    {
        // The wait ends with the time, the work does not: what it still stores is a duplicate when the vendor comes again.
        var results = await EnqueueAsync(items, body.Hold(), cancellation).WaitAsync(cancellation);
        foreach (var result in results)
        {
            switch (result.Verdict)
            {
                case EnqueueVerdict.Full:
                    return new Rejected(Rejection.JournalFull, result.RetryAfter);
                case EnqueueVerdict.Failed:
                    journal.Observe(result.Error);
                    return result.Error is QueueError.TooLarge ? Rejection.BodyTooLarge : new Rejected(result.Error is QueueError.DiskFull or QueueError.BoundReached ? Rejection.JournalFull : Rejection.JournalFailed, null);
                case EnqueueVerdict.Duplicate:
                    call.Duplicates++;
                    break;
                default:
                    call.Stored++;
                    break;
            }
        }

        call.Verdict = call.Stored == 0 && call.Duplicates > 0 ? "duplicate" : "accepted";
        return null;
    }

    private async Task<IReadOnlyList<EnqueueResult>> EnqueueAsync(IReadOnlyList<NewItem> items, WebhookBody body, CancellationToken cancellation)
    {
        using (body)
        {
            return await journal.Queue.EnqueueAsync(items, cancellation);
        }
    }

    private static SignedUrl UrlOf(HttpRequest request, SourceOptions options)
    {
        if (options.PublicUrl is not { } url)
        {
            return default;
        }

        // The raw target: the query is signed as it was sent.
        var target = request.HttpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var query = target.IndexOf('?', StringComparison.Ordinal);
        var form = request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) == true;
        return new SignedUrl(url, query < 0 ? "" : target[query..], form);
    }

    private static string? IdOf(HttpRequest request, IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            if (Header(request, name) is { Length: > 0 } id)
            {
                // With its name: ids of two headers are of two kinds.
                return $"{name.ToLowerInvariant()}:{id}";
            }
        }

        return null;
    }

    private static string? Header(HttpRequest request, string? name) =>
        name is not null && request.Headers.TryGetValue(name, out var values) ? values.ToString() : null;
}

/// <summary>A rejection, and when it is worth coming again.</summary>
internal readonly record struct Rejected(Rejection Reason, TimeSpan? RetryAfter)
{
    public static implicit operator Rejected(Rejection reason) => new(reason, null);
}
