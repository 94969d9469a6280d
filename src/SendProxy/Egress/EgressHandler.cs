using Microsoft.AspNetCore.Http.Features;
using SendProxy.Configuration;
using SendProxy.Egress.Admission;
using SendProxy.Egress.Bodies;
using SendProxy.Egress.Routing;
using SendProxy.Errors;
using SendProxy.Hosting;
using SendProxy.Sending;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;

namespace SendProxy.Egress;

/// <summary>
/// The way of a send through the local port: 1 guard and route, 2 body, 3 key, 4 check, 5 send and answer, 6 log. Each stage may end it.
/// </summary>
internal sealed partial class EgressHandler(
    Live<EgressState> live, ISender sender, ResponseWriter writer, BodyReader reader, EgressTelemetry telemetry, TimeProvider time,
    ILogger<EgressHandler> log) : IRequestActivity
{
    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(1);

    private int _inFlight;

    /// <summary>Requests that are worked on now.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Monotonic time of the last request's end: what draining waits to be quiet.</summary>
    public long LastActive { get; private set; }

    public async Task HandleAsync(HttpContext context)
    {
        var state = live.Current;
        var now = time.GetUtcNow();
        var call = new EgressContext(Secrets.RandomId.Next(now).ToString(), now)
        {
            TakesTrailers = HttpProtocol.IsHttp11(context.Request.Protocol) && !HttpMethods.IsHead(context.Request.Method),
        };
        var start = time.GetTimestamp();
        var running = Interlocked.Increment(ref _inFlight);
        telemetry.InFlight(running);
        try
        {
            call.Refusal = running > state.MaxInFlight
                ? Refusal.NotSent(ProxyError.Overloaded, $"process.maxInFlight ({state.MaxInFlight}) requests are running.", TryAgain)
                : await PrepareAsync(context, state, call);
            if (call.Refusal is null && (call.Refusal = writer.Memory.Reserve(call)) is null)
            {
                // 5 send, and the answer back
                call.Outcome = await sender.SendAsync(call.Message!, context.RequestAborted);
                call.Refusal = call.Outcome.Refusal;
            }

            await (call.Refusal is { } refusal ? RefuseAsync(context, call, refusal) : writer.WriteAsync(context, call));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone; there is nobody to answer.
        }
        catch (Exception e) when (!context.Response.HasStarted)
        {
            // A defect of this program's own; what is under way already is Kestrel's to break off.
            Log.Defect(log, e, call.RequestId);
            call.Refusal = new Refusal(ProxyError.Internal, call.Sent, "The log has the reason, by the request's id.");
            await RefuseAsync(context, call, call.Refusal);
        }
        finally
        {
            call.Body.Dispose();
            writer.Memory.Release(call);
            call.Settle();
            call.Outcome?.Response?.Dispose();
            call.Leave();
            LastActive = time.GetTimestamp();
            context.Features.Get<ListenerConnection>()?.RequestEnded(LastActive);
            telemetry.InFlight(Interlocked.Decrement(ref _inFlight));
            telemetry.Ended(context, call, time.GetElapsedTime(start)); // 6 log
        }
    }

    private static Task RefuseAsync(HttpContext context, EgressContext call, Refusal refusal)
    {
        var format = call.Route?.Plan?.Pipeline.Upstream.Options.Errors ?? ClientErrorFormat.Default;
        call.Explain(context.Response.Headers);
        return Problem.WriteAsync(context, call.MustNotBeRepeated ? format.Undecided(refusal) : refusal, call.RequestId, format.Member);
    }

    private async ValueTask<Refusal?> PrepareAsync(HttpContext context, EgressState state, EgressContext call)
    {
        // 1 guard and route
        var request = context.Request;
        if (state.Guard.Check(context) is { } refused)
        {
            return refused;
        }

        // The raw target, not Kestrel's decoded path: what is matched is what is sent.
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var query = target.IndexOf('?', StringComparison.Ordinal);
        var (route, notFound) = state.Routes.Find(request.Method, query < 0 ? target : target[..query], context);
        if (route is null)
        {
            return notFound;
        }

        call.Route = route;
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

        // 3 key
        var (key, badKey) = KeyFor(request, route, target, body);
        if (badKey is not null)
        {
            return badKey;
        }

        // 4 check
        if (route.Credentials?.Find(request, target, body.Memory.Span) is { } exposed)
        {
            return exposed;
        }

        (call.Recipients, var refusedRecipient) = route.Recipients?.Take(request, body.Memory) ?? (null, null);
        if (refusedRecipient is not null)
        {
            return refusedRecipient;
        }

        var (limited, unlimited) = route.RateLimitFields?.Read(request, body.Memory) ?? (RateLimitValues.One, null);
        if (unlimited is not null)
        {
            return unlimited;
        }

        call.Message = Message(request, call, route, target, whole, key, limited, deadline);
        return null;
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

        return call.Enter(route);
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
            Lane = route.Lanes.FromPriority(request.Headers["Priority"], route.Lane),
            Cost = limited.Cost,
            Pers = limited.Pers,
            Deadline = deadline,
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

        // A vendor that takes no key gets none: then there is nothing to tell the caller either.
        return route.Plan.Pipeline.Upstream.Options.Idempotency.At(target).Deduplicates ? IdempotencyKey.Generate(time) : IdempotencyKey.None;
    }

    private static partial class Log
    {
        [LoggerMessage(240, LogLevel.Error, "A request failed by a defect of the proxy; request id {RequestId}")]
        public static partial void Defect(ILogger log, Exception exception, string requestId);
    }
}

/// <summary>What a request holds of its body until its end.</summary>
internal readonly record struct RequestBody(ReplayBody? Kept, StreamedBody? Streamed) : IDisposable
{
    public void Dispose()
    {
        Streamed?.Dispose();
        Kept?.Dispose();
    }
}
