using Microsoft.Extensions.Primitives;
using SendProxy.Upstreams;
using Yarp.ReverseProxy.Forwarder;

namespace SendProxy.Egress;

/// <summary>
/// What YARP asks for on the way: out, only the call is handed on, since the message is complete already; back, headers are
/// filtered and the way is explained.
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

        var headers = httpContext.Response.Headers;
        var call = Call(httpContext);
        CopyHeaders(proxyResponse, call, headers);
        if (proxyResponse.Content is TrailedContent)
        {
            headers.TransferEncoding = "chunked";
        }

        if (call.Outcome?.IsStreamed == true)
        {
            // Its head is not kept waiting for the first byte of its body: of a stream of events that may take long.
            await httpContext.Response.Body.FlushAsync(cancellationToken);
        }

        return true;
    }

    /// <summary>The head of an answer: what may come back of the upstream's, and how it came.</summary>
    public static void CopyHeaders(HttpResponseMessage from, EgressContext call, IHeaderDictionary to)
    {
        Copy(from.Headers.NonValidated, to);
        Copy(from.Content.Headers.NonValidated, to);
        call.Explain(to);
    }

    private static EgressContext Call(HttpContext context) => (EgressContext)context.Items[ItemKey]!;

    private static void Copy(System.Net.Http.Headers.HttpHeadersNonValidated from, IHeaderDictionary to)
    {
        foreach (var (name, values) in from)
        {
            if (HeaderNames.ComesBack(name))
            {
                to[name] = values.Count == 1 ? new StringValues(values.ToString()) : new StringValues([.. values]);
            }
        }
    }
}
