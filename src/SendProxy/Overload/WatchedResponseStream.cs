namespace SendProxy.Overload;

/// <summary>The body of an answer on its way to a caller that must take it: one that takes nothing for <c>listen.responseStall</c> is cut off.</summary>
/// <param name="abort">Closes the caller's connection.</param>
internal sealed class WatchedResponseStream(Stream inner, DataRateMonitor rates, Action abort) : Stream
{
    private TransferWatch? _watch;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="IOException">The caller takes nothing.</exception>
    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var pending = inner.WriteAsync(buffer, cancellationToken);
        return pending.IsCompletedSuccessfully ? pending : Watched(pending.AsTask());
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        var pending = inner.FlushAsync(cancellationToken);
        return pending.IsCompletedSuccessfully ? pending : Watched(pending).AsTask();
    }

    public override void Flush() => throw new NotSupportedException("Flush it asynchronously.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Write it asynchronously.");

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private ValueTask Watched(Task pending) => (_watch ??= rates.Watch(abort)).WriteAsync(pending);
}
