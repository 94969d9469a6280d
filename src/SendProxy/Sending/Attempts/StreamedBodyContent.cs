using System.Net;
using SendProxy.Upstreams.Connections;

namespace SendProxy.Sending.Attempts;

/// <summary>The one attempt's content over a <see cref="StreamedBody"/>: with the caller's length, or in chunks as it came.</summary>
internal sealed class StreamedBodyContent : OnceContent
{
    private readonly StreamedBody _body;

    public StreamedBodyContent(StreamedBody body)
    {
        _body = body;
        Headers.ContentLength = body.Length;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        Begin();
        return _body.CopyToAsync(stream, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _body.Length ?? 0;
        return _body.Length is not null;
    }
}
