using System.Net;
using SendProxy.Sending.Idempotency;
using SendProxy.Upstreams;
using SendProxy.Upstreams.Connections;

namespace SendProxy.Sending.Attempts;

/// <summary>Builds the request of one attempt: the message with its idempotency key and the credential.</summary>
internal static class AttemptRequest
{
    /// <param name="content">What goes out once; it knows whether it was begun.</param>
    /// <returns>Null where the credential may not go to the upstream's host: nothing is to be sent.</returns>
    public static HttpRequestMessage? Build(SendContext send, Upstream upstream, out OnceContent content)
    {
        var message = send.Message;
        content = message.Streamed is { } streamed
            ? new StreamedBodyContent(streamed)
            : new ReplayContent(message.Body, send.Splice) { IsAbsent = IsAbsent(message, send.Splice) };
        var request = new HttpRequestMessage(message.Method, upstream.UriOf(message.PathAndQuery))
        {
            Content = content,
            Version = upstream.Options.Connections.Http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        AddHeaders(request, content, message);
        if (upstream.Credential.Inject(request, send.Credential))
        {
            return request;
        }

        request.Dispose();
        return null;
    }

    private static void AddHeaders(HttpRequestMessage request, OnceContent content, OutboundMessage message)
    {
        for (var i = 0; i < message.Headers.Count; i++)
        {
            var (name, value) = message.Headers[i];
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                content.Headers.TryAddWithoutValidation(name, value);
            }
        }

        // In a compressed body no credential could be found, and no rule could look.
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
        if (message.IdempotencyKey.Value.Length > 0 && message.Carrier.Kind == CarrierKind.Header)
        {
            request.Headers.TryAddWithoutValidation(message.Carrier.Name, message.IdempotencyKey.Value);
        }
    }

    private static bool IsAbsent(OutboundMessage message, BodyInsertion insertion) =>
        message.Body.Length == 0 && insertion.Insert.IsEmpty
        && (message.Method == HttpMethod.Get || message.Method == HttpMethod.Head || message.Method == HttpMethod.Delete || message.Method == HttpMethod.Options);
}
