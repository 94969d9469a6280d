using SendProxy.Sending.Responses;
using Yarp.ReverseProxy.Forwarder;

namespace SendProxy.Egress;

/// <summary>
/// Writes an upstream's response to the caller. One that is held whole goes out in one piece, head and body; one that streams, or
/// has trailers, is carried by YARP's forwarder: it bounds silence, watches both ends and passes on how either breaks off.
/// </summary>
internal sealed partial class ResponseWriter(IHttpForwarder forwarder, ResponseMemory memory, ILogger<ResponseWriter> log) : IDisposable
{
    // The response's stream bounds every wait. The forwarder's own timer only matters should that fail.
    private static readonly ForwarderRequestConfig Forwarding = new() { ActivityTimeout = TimeSpan.FromHours(2) };
    private static readonly EgressTransformer Transformer = new();

    private readonly HttpMessageInvoker _known = new(new PreparedResponseHandler(), disposeHandler: true);

    public ResponseMemory Memory => memory;

    /// <param name="call">Has an answer of the upstream's.</param>
    public Task WriteAsync(HttpContext context, EgressContext call)
    {
        var response = call.Outcome!.Response!;
        if (call.Outcome.Body is { } body)
        {
            if (!call.TakesTrailers || !ResponseReader.MayHaveTrailers(response) || !ChunkedResponseContent.Fits(response))
            {
                return WriteWholeAsync(context, call, response, body);
            }

            response.Content = new BufferedResponseContent(body, response.Content);
        }

        if (!ResponseReader.HasContent(response))
        {
            return WriteWholeAsync(context, call, response, null);
        }

        if (call.TakesTrailers && ChunkedResponseContent.Fits(response))
        {
            response.Content = new ChunkedResponseContent(response, call);
        }

        return ForwardAsync(context, call);
    }

    public void Dispose() => _known.Dispose();

    /// <param name="body">Null: there is one that is not read, since the caller must not get it.</param>
    private async Task WriteWholeAsync(HttpContext context, EgressContext call, HttpResponseMessage response, ReadOnlyMemory<byte>? body)
    {
        try
        {
            if (!ResponseReader.HasContent(response) && body is null or { IsEmpty: false })
            {
                call.Change(ResponsePart.Body);
            }

            if (!ResponseHead.Write(context, call, response))
            {
                // The head is written here: after the handler has returned, nobody could replace a head that the server refuses.
                await context.Response.StartAsync(CancellationToken.None);
                return;
            }

            await WriteBodyAsync(context, body ?? default);
        }
        catch (InvalidOperationException e) when (!context.Response.HasStarted)
        {
            Log.Refused(log, call.RequestId, call.Route!.Plan.Pipeline.Upstream.Name, e.GetType().Name, e.Message);
            ResponseHead.WriteLeast(context, call, response);
            await (ResponseReader.HasContent(response) && call.Message!.Method != HttpMethod.Head
                ? WriteBodyAsync(context, body ?? default)
                : context.Response.StartAsync(CancellationToken.None));
        }
    }

    private Task WriteBodyAsync(HttpContext context, ReadOnlyMemory<byte> body)
    {
        context.Response.ContentLength = body.Length;
        return body.IsEmpty ? context.Response.StartAsync(CancellationToken.None) : memory.WriteAsync(context, body);
    }

    private async Task ForwardAsync(HttpContext context, EgressContext call)
    {
        memory.Stream(context, call);
        EgressTransformer.Attach(context, call);
        var error = await forwarder.SendAsync(context, "https://sender.invalid", _known, Forwarding, Transformer, CancellationToken.None);
        call.IsBrokenOff = error == ForwarderError.ResponseBodyDestination;
        if (error != ForwarderError.None && !context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            Log.Refused(log, call.RequestId, call.Route!.Plan.Pipeline.Upstream.Name, "forwarder", error.ToString());
            ResponseHead.WriteLeast(context, call, call.Outcome!.Response!);
            await WriteBodyAsync(context, default);
        }
    }

    /// <summary>
    /// Stands below YARP's forwarder in place of a connection. Its request is only the envelope; its content, which cannot be
    /// sent twice (dotnet/yarp#2721), is never read.
    /// </summary>
    private sealed class PreparedResponseHandler : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            request.Options.TryGetValue(EgressContext.Key, out var call) && call.Outcome?.Response is { } response
                ? Task.FromResult(response)
                : throw new System.Diagnostics.UnreachableException("The transformer puts the call on every request.");
    }

    private static partial class Log
    {
        [LoggerMessage(241, LogLevel.Error,
            "The response of {Upstream} to request {RequestId} was refused by the server ({Kind}: {Reason}); its status and its body went out without its headers")]
        public static partial void Refused(ILogger log, string requestId, string upstream, string kind, string reason);
    }
}
