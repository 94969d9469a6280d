using SendProxy.Errors;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Upstreams;

namespace SendProxy.Sending;

/// <summary>
/// One request on its way to a vendor, whoever made it: a caller at the egress port, or the outbox. Knows nothing of HttpContext.
/// The sender does not own <see cref="Body"/>: whoever made the message disposes of it after the outcome.
/// </summary>
internal sealed class OutboundMessage
{
    /// <summary>UUID in lower case; the same for all attempts.</summary>
    public required string RequestId { get; init; }

    /// <summary>Where it goes and what bounds it: compiled from the route.</summary>
    public required SendPlan Plan { get; init; }

    public required HttpMethod Method { get; init; }

    /// <summary>Origin form, normalised: exactly what is sent.</summary>
    public required string PathAndQuery { get; init; }

    /// <summary>How the vendor recognises a repetition of this request.</summary>
    public IdempotencyCarrier Carrier => field ??= Plan.Pipeline.Upstream.Options.Idempotency.At(PathAndQuery);

    /// <summary>What goes on from the caller, already filtered; without key and idempotency key.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; }

    public required ReplayBody Body { get; init; }

    /// <summary>Not null where the body is too large to keep: it goes out instead of <see cref="Body"/>, in one attempt.</summary>
    public StreamedBody? Streamed { get; init; }

    /// <summary>Size of the body, as far as it is known by now.</summary>
    public long BodyBytes => Streamed?.Bytes ?? Body.Length;

    /// <summary>None for methods that need no key.</summary>
    public required IdempotencyKey IdempotencyKey { get; init; }

    public required Lane Lane { get; init; }

    /// <summary>Permits that it needs of each limit: 1, or as many as it has recipients.</summary>
    public int Cost { get; init; } = 1;

    /// <summary>For each limit of the plan the value of its <c>per</c>, hashed; null where no limit has <c>per</c>.</summary>
    public IReadOnlyList<string?>? Pers { get; init; }

    public required Deadline Deadline { get; init; }

    /// <summary>When an attempt under this key may first have been sent, by whoever had the message before; null where none was.</summary>
    public DateTimeOffset? EarlierAttempt { get; init; }

    /// <summary>The credential of that attempt: vendors know a key only together with it. Null: any.</summary>
    public string? CredentialFingerprint { get; init; }

    /// <summary>
    /// Told once, with the credential's fingerprint, when the permits are held and before the first byte: who must know durably that an
    /// attempt may begin. A refusal ends the send with nothing sent. Null: nobody.
    /// </summary>
    public Func<string, ValueTask<Refusal?>>? BeforeAttempt { get; init; }
}

/// <summary>Where a route's messages go: looked up once for a route, not for a request.</summary>
/// <param name="Route">The route's name, for metrics and logs.</param>
/// <param name="Pipeline">The vendor with its pipeline.</param>
/// <param name="Limits">A permit is taken from each.</param>
/// <param name="KeyNamespace">The namespace in which, together with the upstream, an idempotency key is unique.</param>
internal sealed record SendPlan(string Route, UpstreamPipeline Pipeline, IReadOnlyList<PlanLimiter> Limits, string KeyNamespace);
