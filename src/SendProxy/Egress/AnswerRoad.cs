using Microsoft.AspNetCore.Http.Features;
using SendProxy.Sending.Attempts;
using Yarp.ReverseProxy.Forwarder;

namespace SendProxy.Egress;

/// <summary>
/// The way back of an answer. What is held whole goes out in one piece, head and body; what streams, or has trailers, is
/// carried by YARP's forwarder: it bounds silence, watches both ends and passes on how either breaks off.
/// </summary>
internal sealed class AnswerRoad(IHttpForwarder forwarder) : IDisposable
{
    // The answer's stream bounds every wait; the forwarder's own timer is only a net below it.
    private static readonly ForwarderRequestConfig Forwarding = new() { ActivityTimeout = TimeSpan.FromHours(2) };
    private static readonly EgressTransformer Transformer = new();

    private readonly HttpMessageInvoker _known = new(new KnownAnswer(), disposeHandler: true);

    /// <param name="call">Has an answer of the upstream's.</param>
    public Task AnswerAsync(HttpContext context, EgressContext call)
    {
        var answer = call.Outcome!.Response!;
        if (call.Outcome.Body is { } body)
        {
            if (!call.TakesTrailers || !ResponseReader.MayHaveTrailers(answer) || !TrailedContent.Fits(answer))
            {
                return WriteAsync(context, call, answer, body);
            }

            answer.Content = new BufferedResponseContent(body, answer.Content);
        }

        if (call.TakesTrailers && TrailedContent.Fits(answer))
        {
            answer.Content = new TrailedContent(answer);
        }

        return ForwardAsync(context, call);
    }

    public void Dispose() => _known.Dispose();

    private static Task WriteAsync(HttpContext context, EgressContext call, HttpResponseMessage answer, ReadOnlyMemory<byte> body)
    {
        var response = context.Response;
        response.StatusCode = (int)answer.StatusCode;
        context.Features.GetRequiredFeature<IHttpResponseFeature>().ReasonPhrase = answer.ReasonPhrase;
        EgressTransformer.CopyHeaders(answer, call, response.Headers);

        // Of an answer without a body the header tells of the one that GET would bring: it stays.
        if (ResponseReader.IsBodiless(call.Message!.Method, answer))
        {
            return Task.CompletedTask;
        }

        response.ContentLength = body.Length;
        return body.IsEmpty ? Task.CompletedTask : response.Body.WriteAsync(body, CancellationToken.None).AsTask();
    }

    private async Task ForwardAsync(HttpContext context, EgressContext call)
    {
        EgressTransformer.Attach(context, call);
        var error = await forwarder.SendAsync(context, "https://sender.invalid", _known, Forwarding, Transformer, CancellationToken.None);
        call.IsBrokenOff = error == ForwarderError.ResponseBodyDestination;
    }

    /// <summary>
    /// Stands below YARP's forwarder in place of a connection. Its request is only the envelope; its content, which cannot be
    /// sent twice (dotnet/yarp#2721), is never read.
    /// </summary>
    private sealed class KnownAnswer : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            request.Options.TryGetValue(EgressContext.Key, out var call) && call.Outcome?.Response is { } answer
                ? Task.FromResult(answer)
                : throw new System.Diagnostics.UnreachableException("The transformer puts the call on every request.");
    }
}
