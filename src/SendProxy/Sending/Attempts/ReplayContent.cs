using System.Net;

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

    public ReplayContent(ReplayBody body, StartMark mark)
    {
        _body = body;
        _mark = mark;
        Headers.ContentLength = body.Length;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _mark.Set();
        return _body.Length == 0 ? Task.CompletedTask : stream.WriteAsync(_body.Memory, cancellationToken).AsTask();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _body.Length;
        return true;
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
