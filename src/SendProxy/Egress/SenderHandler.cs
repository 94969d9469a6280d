using System.Net;
using System.Net.Http.Headers;
using SendProxy.Errors;
using SendProxy.Sending;

namespace SendProxy.Egress;

/// <summary>
/// Stands below YARP's forwarder in place of a connection: hands the call's message to <see cref="ISender"/>. A refusal
/// becomes a synthetic answer, never an exception thrown into YARP. The forwarder's own request is only the envelope; its
/// content, which cannot be sent twice (dotnet/yarp#2721), is never read.
/// </summary>
internal sealed class SenderHandler(ISender sender) : HttpMessageHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!request.Options.TryGetValue(EgressCall.Key, out var call) || call.Message is not { } message)
        {
            throw new System.Diagnostics.UnreachableException("The transformer puts the call on every request.");
        }

        call.Outcome = await sender.SendAsync(message, cancellationToken);
        call.Refusal = call.Outcome.Refusal;
        if (call.Outcome.Answer is { } answer && call.TakesTrailers && TrailedContent.Fits(answer))
        {
            answer.Content = new TrailedContent(answer);
        }

        return call.Outcome.Answer ?? Answer(call.Outcome.Refusal!, call.RequestId);
    }

    private static HttpResponseMessage Answer(Refusal refusal, string requestId)
    {
        var answer = new HttpResponseMessage((HttpStatusCode)refusal.Status)
        {
            Content = new ReadOnlyMemoryContent(Problem.Body(refusal, requestId)),
        };
        answer.Content.Headers.ContentType = new MediaTypeHeaderValue(Problem.ContentType);
        answer.Headers.TryAddWithoutValidation("Cache-Control", "no-store");
        if (refusal.RetryAfter is { } wait)
        {
            answer.Headers.TryAddWithoutValidation("Retry-After", Problem.RetryAfterSeconds(wait));
        }

        return answer;
    }
}
