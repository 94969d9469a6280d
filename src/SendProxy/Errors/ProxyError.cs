namespace SendProxy.Errors;

/// <summary>Why the proxy itself answered instead of the upstream. Order is free; names and codes are not.</summary>
internal enum ProxyError
{
    /// <summary>No route has this method and path.</summary>
    RouteNotFound,

    /// <summary>A route has this path, but not with this method.</summary>
    MethodNotAllowed,

    /// <summary>The route is switched off by <c>paused: true</c>.</summary>
    RoutePaused,

    /// <summary>The request's target, headers or framing are not in the one form that is passed on.</summary>
    RequestMalformed,

    /// <summary>The Host header is not on <c>guard.hosts</c>.</summary>
    HostNotAllowed,

    /// <summary>The request comes from a web page.</summary>
    BrowserRefused,

    /// <summary><c>guard.requireHeader</c> or <c>guard.callerToken</c> is not met.</summary>
    CallerRefused,

    /// <summary>A live key stands in the caller's request.</summary>
    SecretInRequest,

    /// <summary>Upgrade, CONNECT or gRPC.</summary>
    ProtocolUnsupported,

    /// <summary>The body is larger than the route takes.</summary>
    BodyTooLarge,

    /// <summary>The caller stopped sending its body or went away.</summary>
    BodyIncomplete,

    /// <summary>The route reads fields, and the body is not of a type it can read.</summary>
    BodyTypeUnsupported,

    /// <summary>The route reads fields, and the body cannot be read or lacks one.</summary>
    BodyInvalid,

    /// <summary>The recipient is not on the route's list.</summary>
    RecipientNotAllowed,

    /// <summary>A bound of <c>recipients</c> is used up.</summary>
    RecipientLimited,

    /// <summary>The Idempotency-Key header is malformed.</summary>
    IdempotencyKeyInvalid,

    /// <summary>The route requires an Idempotency-Key and there is none.</summary>
    IdempotencyKeyMissing,

    /// <summary>A request with this key is running.</summary>
    IdempotencyKeyInUse,

    /// <summary>The key was used before with another request.</summary>
    IdempotencyKeyReused,

    /// <summary>The store of keys is away, and the vendor does not deduplicate.</summary>
    IdempotencyStoreUnavailable,

    /// <summary>An earlier request with this key may have been carried out; its answer is not known.</summary>
    OutcomeUnknown,

    /// <summary>A wait for the limit's next permit would not fit.</summary>
    RateLimited,

    /// <summary>The plan's quota is used up; waiting does not help before its period ends.</summary>
    QuotaExceeded,

    /// <summary>Redis is away, and the limit is closed without it.</summary>
    LimiterUnavailable,

    /// <summary>A bound of the process is reached.</summary>
    Overloaded,

    /// <summary>A bound of one upstream or one route is reached, or all its connections are in use.</summary>
    UpstreamBusy,

    /// <summary>No usable key for the upstream.</summary>
    CredentialUnavailable,

    /// <summary>Both keys were refused with 401, or the only one.</summary>
    CredentialRejected,

    /// <summary>The upstream resolved to an address that is not allowed.</summary>
    UpstreamAddressRefused,

    /// <summary>No connection to the upstream was made.</summary>
    UpstreamUnreachable,

    /// <summary>HTTP/2: GOAWAY or REFUSED_STREAM said that nothing of the request was processed.</summary>
    UpstreamRefused,

    /// <summary>The upstream's certificate could not be verified.</summary>
    UpstreamTlsFailed,

    /// <summary>The connection broke after the request was begun.</summary>
    UpstreamBroken,

    /// <summary>The upstream did not answer in time.</summary>
    UpstreamTimedOut,

    /// <summary>The breaker is open after many failures.</summary>
    UpstreamBreakerOpen,

    /// <summary>The upstream's answer broke off after its status was known.</summary>
    AnswerIncomplete,

    /// <summary>The deadline of the request passed before the first attempt.</summary>
    DeadlineExceeded,

    /// <summary>The proxy is going down.</summary>
    ShuttingDown,

    /// <summary>The webhook's signature, timestamp or form is not accepted.</summary>
    WebhookRejected,

    /// <summary>The webhook or the message could not be stored.</summary>
    JournalUnavailable,

    /// <summary>A bound of the journal, or of the route in it, is reached.</summary>
    JournalFull,

    /// <summary>SendProxy-Not-Before, SendProxy-Expires or SendProxy-Reference cannot be met.</summary>
    MessageTermsInvalid,

    /// <summary>The message has begun to be sent, or has ended: it cannot be cancelled.</summary>
    MessageBegun,

    /// <summary>No source has this name, or this listener has nothing at this path.</summary>
    NotFound,

    /// <summary>A defect of the proxy.</summary>
    Internal,
}

/// <summary>Whether the upstream may have acted on the request.</summary>
internal enum Sent
{
    /// <summary>Nothing of it was written to a connection, or the upstream said that it did nothing.</summary>
    No,

    /// <summary>An attempt was started, and no answer says whether the upstream acted.</summary>
    Maybe,

    /// <summary>The upstream answered, and did not say that it did nothing.</summary>
    Yes,
}
