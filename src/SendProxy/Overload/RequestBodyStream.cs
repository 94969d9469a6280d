using System.Buffers;
using System.IO.Pipelines;

namespace SendProxy.Overload;

/// <summary>A request's body, or what is left of it, for who passes it on as it comes: not slower than the minimum data rate.</summary>
internal sealed class RequestBodyStream(PipeReader reader, DataRateMonitor rates) : ReadOnlyStream
{
    private TransferWatch? _watch;

    /// <exception cref="IOException">It broke off, or came too slowly.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var pending = reader.ReadAsync(cancellationToken);
            var read = pending.IsCompleted ? await pending : await (_watch ??= rates.Watch(reader)).ReadAsync(pending);
            var piece = read.Buffer.Slice(0, Math.Min(read.Buffer.Length, buffer.Length));

            // The reader takes its memory back: nothing of the piece may be asked for after that.
            var length = (int)piece.Length;
            piece.CopyTo(buffer.Span);
            reader.AdvanceTo(piece.End);
            _watch?.Received(length);
            if (length > 0 || buffer.IsEmpty || read.IsCompleted)
            {
                return length;
            }
        }
    }
}
