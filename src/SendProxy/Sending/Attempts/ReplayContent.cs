using System.Net;
using SendProxy.Sending.Idempotency;

namespace SendProxy.Sending.Attempts;

/// <summary>
/// One attempt's content over a <see cref="ReplayBody"/>. Notes when the handler first asks for its bytes: head and body go
/// out together, so before that nothing of the request is on a connection. Never null on an attempt, also for an empty body:
/// SocketsHttpHandler repeats requests without content by itself, POST included.
/// </summary>
internal sealed class ReplayContent : HttpContent
{
    private readonly ReplayBody _body;
    private readonly StartMark _mark;
    private readonly BodySplice _splice;

    /// <param name="splice">What is put into the body on its way.</param>
    public ReplayContent(ReplayBody body, BodySplice splice, StartMark mark)
    {
        _body = body;
        _splice = splice;
        _mark = mark;
        Headers.ContentLength = Length;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _mark.Set();
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

/// <summary>Outlives the content, so that what is known of an attempt stays known after its request is gone.</summary>
internal sealed class StartMark
{
    private volatile bool _started;

    /// <summary>True from the moment that the request may have left this process.</summary>
    public bool Started => _started;

    public void Set() => _started = true;
}
