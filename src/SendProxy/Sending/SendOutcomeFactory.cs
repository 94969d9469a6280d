using SendProxy.Errors;
using SendProxy.Sending.Attempts;
using SendProxy.Upstreams;
using SendProxy.Upstreams.Credentials;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Sending;

/// <summary>Makes the last attempt and what went before it into the outcome the caller sees.</summary>
internal static class SendOutcomeFactory
{
    public static SendOutcome Of(SendContext send, AttemptResult result)
    {
        var options = send.Message.Plan.Pipeline.Upstream.Options;
        if (result.Outcome == AttemptOutcome.CredentialRejected)
        {
            // The vendor's 401 concerns the proxy's key, not the caller, who sent none.
            result.Response?.Dispose();
            return Outcome(send, result, null, new Refusal(ProxyError.CredentialRejected, send.Sent,
                $"{options.Name} answered 401 to the key {send.Credential.Fingerprint} of upstreams.{options.Name}.credential.", Credential.Rest));
        }

        if (result.Response is { } answer)
        {
            return Outcome(send, result, answer, null);
        }

        // An open breaker let no attempt through: the caller is told of the breaker, not of an earlier error.
        var error = (result.Error == ProxyError.UpstreamBreakerOpen && send.Attempts == 0 ? result.Error : send.Error ?? result.Error) ?? ProxyError.UpstreamBroken;
        return Outcome(send, result, null, new Refusal(error, send.Sent, Detail(send, error, send.Status ?? result.Status, result.Cause), send.RetryAfter));
    }

    private static SendOutcome Outcome(SendContext send, AttemptResult result, HttpResponseMessage? answer, Refusal? refusal) => new()
    {
        Response = answer,
        Body = answer is not null && result.IsBuffered ? result.Body : default(ReadOnlyMemory<byte>?),
        IsStreamed = answer is not null && !result.IsBuffered,
        Refusal = refusal,
        Attempts = send.Attempts,
        Queued = send.Queued,
        StoreUnavailable = send.Pass.StoreUnavailable,
        Limiter = send.PermitMode,
        Sent = send.Sent,
        LastOutcome = send.Attempts > 0 ? result.Outcome : null,
        Meaning = result.Meaning,
        RetryAfter = refusal?.RetryAfter ?? send.RetryAfter ?? result.Hint.Wait,
        MessageId = result.Meaning == Meaning.Success ? MessageId(send.Message.Plan.Pipeline.Upstream.Options, result.Body) : null,
        KeyFingerprint = send.Credential.Fingerprint,
        VendorRemaining = result.Hint.Remaining,
    };

    private static string Detail(SendContext send, ProxyError error, int? status, string? cause)
    {
        var options = send.Message.Plan.Pipeline.Upstream.Options;
        var what = error switch
        {
            ProxyError.UpstreamTimedOut when send.Message.Streamed is not null =>
                $"upstreams.{options.Name}.timeouts.total ({Configuration.Units.Format(options.Timeouts.Total)}), or the caller's time, passed after the request was begun",
            ProxyError.UpstreamTimedOut => $"upstreams.{options.Name}.timeouts.attempt ({Configuration.Units.Format(options.Timeouts.Attempt)}) passed after the request was begun",
            ProxyError.UpstreamUnreachable => $"no connection to {HostBinding.Of(options.Address)}{(cause is null ? "" : $": {cause}")}",
            ProxyError.UpstreamBusy => $"all connections to {HostBinding.Of(options.Address)} (upstreams.{options.Name}.connections.max: {options.Connections.Max}) were in use and none became free in time",
            ProxyError.UpstreamRefused => $"{HostBinding.Of(options.Address)} declared by HTTP/2 (GOAWAY, REFUSED_STREAM) that it did not process the request",
            ProxyError.UpstreamTlsFailed => $"the TLS handshake with {HostBinding.Of(options.Address)} failed: its certificate is not trusted or not for this name, or it does not speak TLS",
            ProxyError.UpstreamAddressRefused => $"{options.Address.Host} leads to a loopback, private, link-local, metadata or reserved address",
            ProxyError.UpstreamBreakerOpen => $"upstreams.{options.Name}.breaker is open",
            ProxyError.CredentialUnavailable => $"the key of upstreams.{options.Name} is bound to other hosts than its address",
            ProxyError.BodyTooLarge => $"the body grew over the route's maxStreamedBody ({Configuration.Units.FormatSize(send.Message.Streamed!.MaxBytes)}) and was cut off",
            ProxyError.BodyIncomplete => "the body ended before its announced length or came too slowly, and was being streamed",
            ProxyError.SecretInRequest => "what looks like a live key stood in the body, which was cut off before it",
            ProxyError.AnswerIncomplete => $"{options.Name} answered with status {status}, and the answer's body broke off",
            _ => "the connection broke after the request was begun",
        };
        var reason = send.Decision.Explanation is { } explanation ? $"; {explanation}" : "";
        return $"After {send.Attempts} {(send.Attempts == 1 ? "attempt" : "attempts")}: {what}{reason}.";
    }

    private static string? MessageId(UpstreamOptions options, ReadOnlyMemory<byte> body) =>
        options.MessageId is null || body.IsEmpty ? null : Configuration.JsonPointerReader.Text(body.Span, options.MessageId);
}
