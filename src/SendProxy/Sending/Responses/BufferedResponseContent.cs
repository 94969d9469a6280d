using System.Net;

namespace SendProxy.Sending.Responses;

/// <summary>A buffered answer with the content headers it came with.</summary>
internal sealed class BufferedResponseContent : HttpContent
{
    private readonly ReadOnlyMemory<byte> _body;

    public BufferedResponseContent(ReadOnlyMemory<byte> body, HttpContent original)
    {
        _body = body;
        foreach (var (name, values) in original.Headers.NonValidated)
        {
            if (!name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                Headers.TryAddWithoutValidation(name, values);
            }
        }

        Headers.ContentLength = body.Length;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => stream.WriteAsync(_body).AsTask();

    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(
        System.Runtime.InteropServices.MemoryMarshal.TryGetArray(_body, out var segment)
            ? new MemoryStream(segment.Array ?? [], segment.Offset, segment.Count, writable: false)
            : new MemoryStream(_body.ToArray(), writable: false));

    protected override bool TryComputeLength(out long length)
    {
        length = _body.Length;
        return true;
    }
}
