using System.Globalization;
using SendProxy.Egress.Recipients;
using SendProxy.Egress.Routing;
using SendProxy.Errors;
using SendProxy.Outbox.Intake;
using SendProxy.Sending;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;
using SendProxy.Sending.RateLimiting;
using SendProxy.Upstreams.Connections;

namespace SendProxy.Egress;

/// <summary>One request at the local port: what is known of it so far, for its answer's headers, its log line and its metrics.</summary>
internal sealed class EgressContext(string requestId, DateTimeOffset began, long startTimestamp)
{
    /// <summary>How the adapter below the forwarder finds the call.</summary>
    public static readonly HttpRequestOptionsKey<EgressContext> Key = new("sendproxy.call");

    private static readonly TimeSpan TryAgain = TimeSpan.FromSeconds(1);

    private Bulkhead? _first;
    private Bulkhead? _second;

    public string RequestId => requestId;

    public DateTimeOffset Began => began;

    /// <summary>When it began, in monotonic time: what its duration is counted from.</summary>
    public long StartTimestamp => startTimestamp;

    public EgressRoute? Route { get; set; }

    public OutboundMessage? Message { get; set; }

    /// <summary>What it has to do with the outbox; null where it is sent at once.</summary>
    public StoreRequest? Storing { get; set; }

    /// <summary>The message that it became; null where it became none.</summary>
    public Acceptance? Accepted { get; set; }

    /// <summary>The answer has been written.</summary>
    public bool IsAnswered { get; set; }

    public SendOutcome? Outcome { get; set; }

    public RequestBody Body { get; set; }

    /// <summary>What is charged to the memory budget for the answer, in bytes.</summary>
    public int ResponseBytes { get; set; }

    /// <summary>The proxy's own answer; null where the upstream's goes to the caller.</summary>
    public Refusal? Refusal { get; set; }

    /// <summary>The caller can be sent trailers.</summary>
    public bool TakesTrailers { get; init; }

    /// <summary>The upstream's answer ended before its end, after it had begun to go to the caller.</summary>
    public bool IsBrokenOff { get; set; }

    /// <summary>What of the upstream's response could not be passed on as it came; null where all of it was.</summary>
    public ResponseChanges? Changes { get; private set; }

    /// <summary>What the message took of its route's recipients; null where nobody counts them.</summary>
    public RecipientReservation? Recipients { get; set; }

    public string RouteName => Route?.Name ?? "none";

    /// <summary>Where the caller left, the outcome is not known: its attempt may have been begun.</summary>
    public Sent Sent => Outcome?.Sent ?? Refusal?.Sent ?? (Message is null || Accepted is { Lease: null, IsDuplicate: false } ? Sent.No : Sent.Maybe);

    /// <summary>If the client repeated the request by itself, the vendor could act a second time.</summary>
    public bool MustNotBeRepeated => Sent != Sent.No
        && Message is { } message && AttemptTable.Of(message.Method, vendorDeduplicates: false) != Repeatability.Idempotent
        && (Refusal is { RepetitionIsHeld: false } || Outcome is { Response.IsSuccessStatusCode: false });

    /// <summary>
    /// Called at the end. A message that was certainly not sent does not count for its recipients: a vendor's outage must not lock them out.
    /// A caller that left has no outcome, and its attempt may go on.
    /// </summary>
    public void Settle()
    {
        if (Outcome is { Sent: Sent.No } or { IsReplay: true } || (Outcome is null && Refusal is { Sent: Sent.No }))
        {
            Recipients?.GiveBack();
        }
    }

    public void Change(ResponsePart part) => (Changes ??= new ResponseChanges()).Add(part);

    public void ChangeHeader(string name) => (Changes ??= new ResponseChanges()).AddHeader(name);

    /// <summary>Takes a place at the route and at its upstream; <see cref="Leave"/> gives both back.</summary>
    /// <returns>Why there is none; null where both were free.</returns>
    public Refusal? Enter(EgressRoute route)
    {
        var upstream = route.Plan.Pipeline.Upstream;
        if (route.Bulkhead is { } own && !TryEnter(own))
        {
            return Refusal.NotSent(ProxyError.UpstreamBusy, $"maxInFlight ({own.Limit}) of the route {route.Name} is reached.", TryAgain);
        }

        return TryEnter(upstream.Bulkhead)
            ? null
            : Refusal.NotSent(ProxyError.UpstreamBusy, $"upstreams.{upstream.Name}.maxInFlight ({upstream.Bulkhead.Limit}) is reached.", TryAgain);
    }

    /// <summary>The request is over: its places are free.</summary>
    public void Leave()
    {
        _first?.Leave();
        _second?.Leave();
        (_first, _second) = (null, null);
    }

    private bool TryEnter(Bulkhead bulkhead)
    {
        if (!bulkhead.TryEnter())
        {
            return false;
        }

        (_first, _second) = _first is null ? (bulkhead, null) : (_first, bulkhead);
        return true;
    }

    /// <summary>Writes the headers that tell how the answer came about. An upstream cannot forge them.</summary>
    public void Explain(IHeaderDictionary headers)
    {
        headers["SendProxy-Request-Id"] = requestId;
        headers["SendProxy-Sent"] = Sent.Word();
        if (Outcome is { } outcome)
        {
            headers["SendProxy-Attempts"] = outcome.Attempts.ToString(CultureInfo.InvariantCulture);
            headers["SendProxy-Queued-Ms"] = ((long)outcome.Queued.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
            if (outcome.IsReplay)
            {
                headers["Idempotency-Replayed"] = "true";
            }

            headers["SendProxy-Limiter"] = outcome.Limiter.Word();
            if (outcome.IsStreamed)
            {
                headers["SendProxy-Answer"] = "streamed";
            }
        }

        if (MustNotBeRepeated)
        {
            foreach (var name in ClientErrorFormat.ShouldRetryHeaders)
            {
                // What the vendor itself says takes precedence.
                headers.TryAdd(name, "false");
            }
        }

        foreach (var limit in Route?.Plan?.Limits ?? [])
        {
            if (limit.RateLimitHeader is var (left, reset))
            {
                // Beside the vendor's own, if it has one: it is a list.
                headers.Append("RateLimit", string.Create(CultureInfo.InvariantCulture, $"\"{limit.Name}\";r={left};t={reset}"));
                headers.Append("RateLimit-Policy", limit.Policy);
            }
        }

        if (Changes is { } changes)
        {
            headers["SendProxy-Response-Changed"] = changes.ToString();
        }

        if (Message is { Streamed: not null })
        {
            headers["SendProxy-Body"] = "streamed";
        }

        if (Message is { IdempotencyKey.Origin: not IdempotencyKeyOrigin.None } message)
        {
            headers["SendProxy-Idempotency"] = Outcome?.StoreUnavailable == true ? "vendor" : message.IdempotencyKey.Word;
            headers[IdempotencyKey.Header] = message.IdempotencyKey.Value;
        }
    }
}
