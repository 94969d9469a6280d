using System.Net;
using SendProxy.Upstreams;

namespace SendProxy.Sending.Attempts;

/// <summary>An answer that turned out too large to buffer: what was read of it, then the rest.</summary>
internal sealed class PrefixedContent : HttpContent
{
    private readonly Stream _whole;
    private readonly HttpContent _original;

    public PrefixedContent(ReadOnlyMemory<byte> prefix, Stream rest, HttpContent original)
    {
        _original = original;
        _whole = new PrefixedStream(prefix, rest);
        foreach (var (name, values) in original.Headers.NonValidated)
        {
            Headers.TryAddWithoutValidation(name, values);
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => _whole.CopyToAsync(stream);

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult(_whole);

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _original.Dispose();
        }

        base.Dispose(disposing);
    }

    private sealed class PrefixedStream(ReadOnlyMemory<byte> prefix, Stream rest) : ReadOnlyStream
    {
        private ReadOnlyMemory<byte> _prefix = prefix;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_prefix.IsEmpty)
            {
                return await rest.ReadAsync(buffer, cancellationToken);
            }

            var count = Math.Min(buffer.Length, _prefix.Length);
            _prefix[..count].CopyTo(buffer);
            _prefix = _prefix[count..];
            return count;
        }
    }
}
