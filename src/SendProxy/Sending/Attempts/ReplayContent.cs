using System.Net;
using SendProxy.Sending.Idempotency;
using SendProxy.Upstreams.Connections;

namespace SendProxy.Sending.Attempts;

/// <summary>
/// One attempt's content over a <see cref="ReplayBody"/>. Notes when the handler first asks for its bytes: head and body go
/// out together, so before that nothing of the request is on a connection. Never null on an attempt, also for an empty body:
/// SocketsHttpHandler repeats requests without content by itself, POST included.
/// </summary>
internal sealed class ReplayContent : OnceContent
{
    private readonly ReplayBody _body;
    private readonly BodyInsertion _splice;

    /// <param name="splice">What is put into the body on its way.</param>
    public ReplayContent(ReplayBody body, BodyInsertion splice)
    {
        _body = body;
        _splice = splice;
        Headers.ContentLength = Length;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        Begin();
        return Length == 0 ? Task.CompletedTask
            : _splice.Insert.IsEmpty ? stream.WriteAsync(_body.Memory, cancellationToken).AsTask()
            : WriteSplicedAsync(stream, cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = Length;
        return true;
    }

    private int Length => _body.Length + _splice.Insert.Length;

    private async Task WriteSplicedAsync(Stream stream, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(_body.Memory[.._splice.At], cancellationToken);
        await stream.WriteAsync(_splice.Insert, cancellationToken);
        await stream.WriteAsync(_body.Memory[_splice.At..], cancellationToken);
    }
}
