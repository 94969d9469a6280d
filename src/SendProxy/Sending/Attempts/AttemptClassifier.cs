using SendProxy.Errors;
using SendProxy.Upstreams;
using SendProxy.Upstreams.Connections;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Sending.Attempts;

/// <summary>Says what became of an attempt: by the response that came, by as much of it as came, or by how it failed.</summary>
internal static class AttemptClassifier
{
    /// <param name="body">Null where the response is streamed: then its body tells nothing.</param>
    public static AttemptResult OfResponse(HttpResponseMessage response, byte[]? body, UpstreamOptions options, DateTimeOffset now)
    {
        Func<string, string?> header = response.Header;
        var (meaning, byRule) = Classifier.Judge(options.Classify, (int)response.StatusCode, header, body);
        return new AttemptResult
        {
            Outcome = AttemptTable.Of(meaning, byRule, (int)response.StatusCode),
            Status = (int)response.StatusCode,
            Response = response,
            Body = body,
            IsBuffered = body is not null,
            Meaning = meaning,
            Hint = RateHint(response, header, options, now),
        };
    }

    /// <summary>The status came and stands; only what the body would have added is lost.</summary>
    public static AttemptResult OfIncompleteResponse(HttpResponseMessage response, UpstreamOptions options, DateTimeOffset now)
    {
        Func<string, string?> header = response.Header;
        var status = (int)response.StatusCode;
        var (meaning, byRule) = Classifier.Judge(options.Classify, status, header, default);
        return new AttemptResult
        {
            Outcome = AttemptTable.OfBroken(meaning, byRule, status, Classifier.MeaningsByBody(options.Classify, status)),
            Error = ProxyError.AnswerIncomplete,
            Status = status,
            Hint = RateHint(response, header, options, now),
        };
    }

    /// <summary>The attempt ended without a response.</summary>
    /// <param name="bodyFault">Why a streamed body of the caller's ended early; null where it did not, and where none was streamed.</param>
    /// <param name="content">What was to go out; null where the attempt failed before there was any.</param>
    /// <param name="waitedForConnection">All connections were in use as it began, and it waited for one until its time was over.</param>
    public static AttemptResult OfFailure(Exception exception, ProxyError? bodyFault, OnceContent? content, bool waitedForConnection)
    {
        if (bodyFault is { } fault)
        {
            return AttemptResult.Failed(AttemptOutcome.BodyBroke, fault);
        }

        if (content is { RepeatEnded: true })
        {
            return AttemptResult.Failed(AttemptOutcome.NothingWritten, ProxyError.UpstreamRefused);
        }

        if (content is { Begun: true })
        {
            return AttemptResult.Failed(AttemptOutcome.Broke, exception is OperationCanceledException ? ProxyError.UpstreamTimedOut : ProxyError.UpstreamBroken);
        }

        return exception switch
        {
            HttpRequestException { InnerException: AddressRefusedException } =>
                AttemptResult.Failed(AttemptOutcome.NothingWritten, ProxyError.UpstreamAddressRefused, mayRepeat: false),
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } =>
                AttemptResult.Failed(AttemptOutcome.NothingWritten, ProxyError.UpstreamTlsFailed, mayRepeat: false),
            _ => AttemptResult.Failed(AttemptOutcome.NothingWritten, waitedForConnection ? ProxyError.UpstreamBusy : ProxyError.UpstreamUnreachable) with
            {
                Cause = ConnectFailure.Told(exception),
            },
        };
    }

    // An extension, so that the delegate to it needs no closure.
    private static string? Header(this HttpResponseMessage response, string name) =>
        response.Headers.NonValidated.TryGetValues(name, out var values) ? values.ToString() : null;

    private static RateHint RateHint(HttpResponseMessage response, Func<string, string?> header, UpstreamOptions options, DateTimeOffset now) =>
        RateHeaders.AreIn(response.Headers.NonValidated, options.RateHeaders) ? RateHeaders.Read(header, options.RateHeaders, now) : default;
}
