using Yarp.ReverseProxy.Forwarder;

namespace SendProxy.Egress;

/// <summary>
/// YARP's hooks. For the request only the call is handed on, since the message is complete already. For the response, headers are
/// filtered, and others say how it came about.
/// </summary>
internal sealed class EgressTransformer : HttpTransformer
{
    private static readonly object ItemKey = typeof(EgressContext);
    private static readonly Uri Envelope = new("https://sender.invalid/");

    public static void Attach(HttpContext context, EgressContext call) => context.Items[ItemKey] = call;

    public override ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        proxyRequest.RequestUri = Envelope;
        proxyRequest.Options.Set(EgressContext.Key, Call(httpContext));
        return ValueTask.CompletedTask;
    }

    public override async ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null)
        {
            return false;
        }

        var call = Call(httpContext);
        ResponseHead.Write(httpContext, call, proxyResponse);
        if (proxyResponse.Content is ChunkedResponseContent)
        {
            httpContext.Response.Headers.TransferEncoding = "chunked";
        }
        else
        {
            httpContext.Response.ContentLength = proxyResponse.Content.Headers.ContentLength;
        }

        if (call.Outcome?.IsStreamed == true)
        {
            // The head is sent at once, since the first byte of a stream of events may take long.
            await httpContext.Response.Body.FlushAsync(cancellationToken);
        }

        return true;
    }

    private static EgressContext Call(HttpContext context) => (EgressContext)context.Items[ItemKey]!;
}
