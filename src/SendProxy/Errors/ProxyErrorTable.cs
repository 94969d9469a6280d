namespace SendProxy.Errors;

/// <summary>What a <see cref="ProxyError"/> looks like on the wire.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Code">snake_case, stable for ever: the <c>code</c> member and the <c>SendProxy-Error</c> header.</param>
/// <param name="Title">One fixed sentence.</param>
/// <param name="Remedy">What the reader of docs/ERRORS.md should do.</param>
internal readonly record struct ErrorRow(int Status, string Code, string Title, string Remedy);

/// <summary>The one place where a <see cref="ProxyError"/> becomes a status and a code. docs/ERRORS.md is checked against it.</summary>
internal static class ProxyErrorTable
{
    public static ErrorRow Describe(ProxyError error) => error switch
    {
        ProxyError.RouteNotFound => new(404, "route_not_found", "No route has this path.", "Add a route, or call one of the configured paths."),
        ProxyError.MethodNotAllowed => new(405, "method_not_allowed", "The route does not take this method.", "Use a method of the route's match.methods; Allow lists them."),
        ProxyError.RoutePaused => new(503, "route_paused", "The route is switched off.", "Set paused: false on the route."),
        ProxyError.RequestMalformed => new(400, "request_malformed", "The request is not in a form that is passed on.", "Send one plain origin-form target and each header once."),
        ProxyError.HostNotAllowed => new(403, "host_not_allowed", "The Host header names no allowed host.", "Call localhost, or add the name to guard.hosts."),
        ProxyError.BrowserRefused => new(403, "browser_refused", "Requests from web pages are refused.", "Call the proxy from a program; one that sends a browser's headers shows the caller token (docs/CLIENTS.md)."),
        ProxyError.CallerRefused => new(403, "caller_refused", "The caller did not identify itself.", "Send guard.requireHeader, or the caller token."),
        ProxyError.SecretInRequest => new(400, "secret_in_request", "A live key stands in the request.", "Send no key: the proxy adds it. Treat the one you sent as exposed."),
        ProxyError.ProtocolUnsupported => new(501, "protocol_unsupported", "WebSocket, CONNECT and gRPC are not passed on.", "Use a plain HTTP request."),
        ProxyError.BodyTooLarge => new(413, "body_too_large", "The body is larger than the route takes.", "Send less, or raise the route's maxBody or maxStreamedBody; detail names the one."),
        ProxyError.BodyIncomplete => new(400, "body_incomplete", "The body ended early.", "Send the whole body; see Content-Length."),
        ProxyError.BodyTypeUnsupported => new(415, "body_type_unsupported", "The route reads fields of a JSON body.", "Send Content-Type: application/json without Content-Encoding."),
        ProxyError.BodyInvalid => new(422, "body_invalid", "The body cannot be read as the route needs.", "Send valid JSON without duplicate members, with the field that detail names."),
        ProxyError.RecipientNotAllowed => new(422, "recipient_not_allowed", "The recipient is not allowed on this route.", "Add its prefix to the route's recipients.allow."),
        ProxyError.RecipientLimited => new(429, "recipient_limited", "The bound for this recipient or its prefix is used up.", "Wait as Retry-After says, or raise the bound that detail names."),
        ProxyError.IdempotencyKeyInvalid => new(400, "idempotency_key_invalid", "The Idempotency-Key is malformed.", "Send one key of 1 to 255 visible ASCII characters."),
        ProxyError.IdempotencyKeyMissing => new(400, "idempotency_key_missing", "The route requires an Idempotency-Key.", "Send one, the same on every retry of the same message."),
        ProxyError.IdempotencyKeyInUse => new(409, "idempotency_key_in_use", "A request with this key is still running.", "Ask again with the same key after Retry-After."),
        ProxyError.IdempotencyKeyReused => new(422, "idempotency_key_reused", "The key was used with another request.", "Make a new key for each message."),
        ProxyError.IdempotencyStoreUnavailable => new(503, "idempotency_store_unavailable", "The store of keys cannot be reached.", "Ask again; look at the fleet's Redis or the journal's disk."),
        ProxyError.OutcomeUnknown => new(409, "outcome_unknown", "An earlier request with this key may have been carried out.", "Look the message up at the vendor; send again only with a new key."),
        ProxyError.RateLimited => new(429, "rate_limited", "The limit has no permit in time.", "Wait as Retry-After says; detail names the limit."),
        ProxyError.QuotaExceeded => new(429, "quota_exceeded", "The plan's quota is used up.", "Waiting does not help before the period ends; see the plan."),
        ProxyError.LimiterUnavailable => new(503, "limiter_unavailable", "The fleet's limiter cannot be reached.", "See fleet.redis; whenRedisIsAway: share sends this process's share instead."),
        ProxyError.Overloaded => new(503, "overloaded", "The proxy is at a bound of its own.", "Ask again after Retry-After; detail names the bound."),
        ProxyError.UpstreamBusy => new(503, "upstream_busy", "All places at the upstream are taken.", "Ask again after Retry-After; detail names the bound. Its requests take long, or the bound is low."),
        ProxyError.CredentialUnavailable => new(503, "credential_unavailable", "There is no usable key for the upstream.", "Look at the key's file: sendproxy check, or the log line credential."),
        ProxyError.CredentialRejected => new(502, "credential_rejected", "The upstream refused the key.", "Replace the key; it is unknown or revoked at the vendor."),
        ProxyError.UpstreamAddressRefused => new(502, "upstream_address_refused", "The upstream's name leads to an address that is not allowed.", "Check DNS; allowPrivateAddresses allows private networks."),
        ProxyError.UpstreamUnreachable => new(502, "upstream_unreachable", "No connection to the upstream was made.", "Check address, DNS and network policy."),
        ProxyError.UpstreamRefused => new(503, "upstream_refused", "The upstream declared that it did not process the request.", "Ask again; it is overloaded or restarts."),
        ProxyError.UpstreamTlsFailed => new(502, "upstream_tls_failed", "The upstream's certificate was not accepted.", "Check the address, or give tls.caFile."),
        ProxyError.UpstreamBroken => new(502, "upstream_broken", "The connection broke before an answer came.", "sent says whether it is safe to repeat; with the same Idempotency-Key it is."),
        ProxyError.UpstreamTimedOut => new(504, "upstream_timed_out", "The upstream did not answer in time.", "sent says whether it is safe to repeat; see timeouts."),
        ProxyError.UpstreamBreakerOpen => new(503, "upstream_breaker_open", "The upstream fails; it is given a rest.", "Ask again after Retry-After."),
        ProxyError.AnswerIncomplete => new(502, "answer_incomplete", "The upstream's answer broke off.", "sent says whether it acted, as its status tells; detail has the status. yes, maybe: look the message up before you send again."),
        ProxyError.DeadlineExceeded => new(504, "deadline_exceeded", "The request's time was over before it was sent.", "Give more time, or raise timeouts.total."),
        ProxyError.ShuttingDown => new(503, "shutting_down", "The proxy is going down.", "Ask again; another instance answers."),
        ProxyError.WebhookRejected => new(401, "webhook_rejected", "The webhook was not accepted.", "The log's reason code says why: secret, clock, or a sender that is not the vendor."),
        ProxyError.JournalUnavailable => new(503, "journal_unavailable", "The journal cannot take the item.", "Look at disk space and sendproxy_journal_errors_total."),
        ProxyError.JournalFull => new(503, "journal_full", "The journal has no room for the message.", "Ask again after Retry-After; detail names the bound. Messages leave faster with a larger plan, or the bound is low."),
        ProxyError.MessageTermsInvalid => new(400, "message_terms_invalid", "When the message may be sent, or its reference, cannot be met.", "Correct the header that detail names."),
        ProxyError.MessageBegun => new(409, "message_begun", "The message cannot be cancelled any more.", "GET it: it is being sent, or its end is known."),
        ProxyError.NotFound => new(404, "not_found", "There is nothing here.", "Each listener answers its own paths only."),
        ProxyError.Internal => new(500, "internal", "The proxy failed.", "Report it with the request id."),
        _ => throw new ArgumentOutOfRangeException(nameof(error), error, "No row in the error table."),
    };

    /// <returns><c>no</c>, <c>maybe</c> or <c>yes</c>.</returns>
    public static string Word(this Sent sent) => sent switch
    {
        Sent.No => "no",
        Sent.Maybe => "maybe",
        _ => "yes",
    };
}
