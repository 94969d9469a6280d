namespace SendProxy.Sandbox.Answers;

/// <summary>An error of the API: what stands in the member <c>error</c> of its answer.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Type">Family of the error.</param>
/// <param name="Code">What a client decides on.</param>
/// <param name="Message">For people.</param>
/// <param name="IsFinal">The same request will fail again: an idempotency store keeps the answer.</param>
internal sealed record ApiError(int Status, string Type, string Code, string Message, bool IsFinal = false)
{
    public static readonly ApiError InvalidJson = Request(400, "invalid_json", "The body is not valid JSON.");
    public static readonly ApiError InvalidParameter = Request(400, "invalid_parameter", "A parameter is not valid.");
    public static readonly ApiError InvalidApiKey =
        new(401, "authentication_error", "invalid_api_key", "The API key is not valid.");
    public static readonly ApiError InsufficientBalance =
        new(402, "billing_error", "insufficient_balance", "The balance does not cover this message.");
    public static readonly ApiError ChannelDisabled =
        new(403, "permission_error", "channel_disabled", "This channel is disabled for the account.");
    public static readonly ApiError SessionNotFound = Request(404, "session_not_found", "There is no such session.");
    public static readonly ApiError NotFound = Request(404, "not_found", "There is nothing under this address.");
    public static readonly ApiError MethodNotAllowed =
        Request(405, "method_not_allowed", "This address does not take this method.");
    public static readonly ApiError KeyInUse = new(
        409, "idempotency_error", "idempotency_key_in_use", "A request with this idempotency key is still running.");
    public static readonly ApiError TooLarge = Request(413, "request_too_large", "The body is too large.");
    public static readonly ApiError KeyReused = new(
        422, "idempotency_error", "idempotency_key_reused", "This idempotency key was used with another body.");
    public static readonly ApiError OptedOut =
        Request(422, "recipient_opted_out", "The recipient does not want messages.");
    public static readonly ApiError WindowClosed =
        Request(422, "window_closed", "The recipient has not written within 24 hours.");
    // Not final: the same request succeeds once the session is back.
    public static readonly ApiError SessionDisconnected =
        new(422, "session_error", "session_disconnected", "The session is not connected.");
    public static readonly ApiError RateLimited =
        new(429, "rate_limit_error", "rate_limited", "Too many requests.");
    public static readonly ApiError QuotaExceeded =
        new(429, "quota_error", "quota_exceeded", "The plan's monthly quota is used up.");
    public static readonly ApiError Internal = Server(500, "internal_error", "Something went wrong on our side.");
    public static readonly ApiError BadGateway = Server(502, "bad_gateway", "A part of the service failed.");
    public static readonly ApiError Unavailable = Server(503, "service_unavailable", "The service is overloaded.");
    public static readonly ApiError GatewayTimeout = Server(504, "gateway_timeout", "A part did not answer in time.");

    private static ApiError Request(int status, string code, string message) =>
        new(status, "invalid_request_error", code, message, IsFinal: true);

    private static ApiError Server(int status, string code, string message) => new(status, "api_error", code, message);
}
