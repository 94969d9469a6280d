using Microsoft.AspNetCore.Http.Features;
using SendProxy.Configuration;
using SendProxy.Egress.Admission;
using SendProxy.Egress.Bodies;
using SendProxy.Egress.Routing;
using SendProxy.Errors;
using SendProxy.Outbox.Messages;
using SendProxy.Outbox.Status;
using SendProxy.Sending;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;

namespace SendProxy.Egress;

/// <summary>Stages 1 to 4 of a request: guard and route, body, key, check. What can be refused is refused here, before anything is sent or stored.</summary>
internal sealed class RequestPreparer(BodyReader reader, TimeProvider time)
{
    /// <summary>Makes the call's message, or says why there is none.</summary>
    public ValueTask<Refusal?> PrepareAsync(HttpContext context, EgressState state, EgressContext call) =>
        state.Guard.Check(context) is { } refused ? ValueTask.FromResult<Refusal?>(refused) : PrepareAdmittedAsync(context, state, call);

    /// <summary>The same for a request of a batch, whose sender was admitted with the batch: only its form is checked.</summary>
    public ValueTask<Refusal?> PrepareOfBatchAsync(HttpContext context, EgressState state, EgressContext call) =>
        state.Guard.CheckForm(context) is { } refused ? ValueTask.FromResult<Refusal?>(refused) : PrepareAdmittedAsync(context, state, call);

    private async ValueTask<Refusal?> PrepareAdmittedAsync(HttpContext context, EgressState state, EgressContext call)
    {
        // 1 route
        var request = context.Request;
        // The raw target, not Kestrel's decoded path: what is matched is what is sent.
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        if (state.Outbox is not null && OutboxEndpoint.IsIts(target))
        {
            call.Storing = StoreRequest.OfEndpoint;
            return null;
        }

        var query = target.IndexOf('?', StringComparison.Ordinal);
        var (route, notFound) = state.Routes.Find(request.Method, query < 0 ? target : target[..query], context);
        if (route is null)
        {
            return notFound;
        }

        call.Route = route;
        (call.Storing, var badTerms) = StoreRequest.Of(request, route, state.Outbox, time.GetUtcNow());
        if (badTerms is not null)
        {
            return badTerms;
        }

        if (Admit(request, call, route) is { } notAdmitted)
        {
            return notAdmitted;
        }

        // 2 body
        var deadline = Deadline.In(TotalTime(request, route), time);
        var (body, hasMore, unread) = await reader.ReadAsync(request, route.Body, context.RequestAborted);
        if (body is null)
        {
            return unread;
        }

        var whole = new RequestBody(body, hasMore ? Streamed(request, route, body) : null);
        call.Body = whole;
        if (call.Storing is not null && (hasMore || body.Length > state.Outbox!.MaxBody) && Unstored(call, route, state.Outbox!) is { } tooLarge)
        {
            return tooLarge;
        }

        // 3 key
        var (key, badKey) = KeyFor(request, route, target, body);
        if (badKey is not null)
        {
            return badKey;
        }

        // 4 check
        var (limited, notChecked) = Check(request, call, route, target, body);
        if (notChecked is not null)
        {
            return notChecked;
        }

        call.Message = Message(request, call, route, target, whole, key, limited, deadline);
        return null;
    }

    private static (RateLimitValues Limited, Refusal? Refusal) Check(HttpRequest request, EgressContext call, EgressRoute route, string target, ReplayBody body)
    {
        if (route.Credentials?.Find(request, target, body.Memory.Span) is { } exposed)
        {
            return (RateLimitValues.One, exposed);
        }

        (call.Recipients, var refusedRecipient) = route.Recipients?.Take(request, body.Memory) ?? (null, null);
        return refusedRecipient is not null ? (RateLimitValues.One, refusedRecipient) : route.RateLimitFields?.Read(request, body.Memory) ?? (RateLimitValues.One, null);
    }

    private static Refusal? Admit(HttpRequest request, EgressContext call, EgressRoute route)
    {
        if (route.Options.Paused)
        {
            return Refusal.NotSent(ProxyError.RoutePaused, $"The route {route.Name} has paused: true.", TimeSpan.FromSeconds(60));
        }

        if (HeaderValidator.HasUnusualBody(request) && !route.Options.AllowGetBody)
        {
            return Refusal.NotSent(ProxyError.RequestMalformed,
                $"{request.Method} has a body, which some servers take for the next request; if the vendor wants it, set getBody: send on the route {route.Name}.");
        }

        // A message that is only stored needs no place at the vendor. A message that would have to wait for one is stored instead.
        return call.Storing is { When: StoreWhen.Now } ? null
            : call.Enter(route) is not { } noPlace ? null
            : call.Storing is { When: StoreWhen.AfterWait } waiting ? Store(call, waiting)
            : noPlace;
    }

    private static Refusal? Store(EgressContext call, StoreRequest waiting)
    {
        call.Storing = waiting with { When = StoreWhen.Now, Gate = null };
        return null;
    }

    // A preference may be ignored (RFC 7240, 2); what a route demands, or a time before which it must not go, may not.
    private static Refusal? Unstored(EgressContext call, EgressRoute route, OutboxOptions outbox)
    {
        if (call.Storing!.IsOptional)
        {
            var hasPlace = call.Storing.When != StoreWhen.Now;
            call.Storing = null;
            return hasPlace ? null : call.Enter(route);
        }

        return Refusal.NotSent(ProxyError.BodyTooLarge, $"The body is larger than outbox.maxBody ({Units.FormatSize(outbox.MaxBody)}): it cannot be stored.");
    }

    private static OutboundMessage Message(
        HttpRequest request, EgressContext call, EgressRoute route, string target, RequestBody body, IdempotencyKey key, RateLimitValues limited, Deadline deadline) => new()
        {
            RequestId = call.RequestId,
            Plan = route.Plan,
            Method = HttpMethod.Parse(request.Method),
            PathAndQuery = target,
            Headers = RequestInspector.HeadersFor(request, closes: HeaderValidator.HasUnusualBody(request)),
            Body = body.Kept!,
            Streamed = body.Streamed,
            IdempotencyKey = key,
            Lane = route.Lanes.FromPriority(request.Headers["Priority"], call.Storing is { When: StoreWhen.Now } ? route.StoredLane : route.Lane),
            Cost = limited.Cost,
            Pers = limited.Pers,
            Deadline = deadline,
            BeforeAttempt = call.Storing?.Gate is { } gate ? gate.BeginAsync : null,
        };

    private StreamedBody Streamed(HttpRequest request, EgressRoute route, ReplayBody head) => new(
        head, reader.Rest(request), request.ContentLength, route.Body.MaxStreamed,
        route.Credentials is { } credentials ? piece => credentials.IsIn(piece.Span) : null);

    private static TimeSpan TotalTime(HttpRequest request, EgressRoute route)
    {
        var total = route.Plan.Pipeline.Upstream.Options.Timeouts.Total;
        return request.Headers.TryGetValue("SendProxy-Timeout", out var text) && Units.TryDuration(text.ToString(), out var asked) && asked > TimeSpan.Zero && asked < total
            ? asked
            : total;
    }

    private (IdempotencyKey Key, Refusal? Refusal) KeyFor(HttpRequest request, EgressRoute route, string target, ReplayBody body)
    {
        var sent = request.Headers[IdempotencyKey.Header];
        if (sent.Count == 0)
        {
            return route.Options.Keys.Require
                ? (default, Refusal.NotSent(ProxyError.IdempotencyKeyMissing, $"The route {route.Name} has idempotency.require: true."))
                : (MakeKey(request, route, target, body), null);
        }

        return sent.Count == 1 && IdempotencyKey.TryParse(sent.ToString(), out var key)
            ? (key, null)
            : (default, Refusal.NotSent(ProxyError.IdempotencyKeyInvalid, $"It must be one key of 1 to {IdempotencyKey.MaxLength} visible ASCII characters."));
    }

    private IdempotencyKey MakeKey(HttpRequest request, EgressRoute route, string target, ReplayBody body)
    {
        if (!HttpMethods.IsPost(request.Method) && !HttpMethods.IsPatch(request.Method))
        {
            return IdempotencyKey.None;
        }

        if (route.Options.Keys.DeriveWithin is { } window)
        {
            var fingerprint = RequestFingerprint.Of(request.Method, route.Name, target, request.ContentType ?? "", body.Memory.Span);
            return new IdempotencyKey(RequestFingerprint.Derive(fingerprint, window, time.GetUtcNow()), IdempotencyKeyOrigin.Derived);
        }

        // A vendor that takes no key gets none, and the caller is told of none.
        return route.Plan.Pipeline.Upstream.Options.Idempotency.At(target).Deduplicates ? IdempotencyKey.Generate(time) : IdempotencyKey.None;
    }
}

/// <summary>The body of a request, which it holds until its end.</summary>
internal readonly record struct RequestBody(ReplayBody? Kept, StreamedBody? Streamed) : IDisposable
{
    public void Dispose()
    {
        Streamed?.Dispose();
        Kept?.Dispose();
    }
}
