using System.Net;

namespace SendProxy.Sending.Attempts;

/// <summary>A buffered answer with the content headers it came with.</summary>
internal sealed class AnswerContent : HttpContent
{
    private readonly ReadOnlyMemory<byte> _body;

    /// <param name="isBodiless">An answer that has no body whatever its headers say: they tell of the one that GET would bring.</param>
    public AnswerContent(ReadOnlyMemory<byte> body, HttpContent original, bool isBodiless)
    {
        _body = body;
        foreach (var (name, values) in original.Headers.NonValidated)
        {
            if (isBodiless || !name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                Headers.TryAddWithoutValidation(name, values);
            }
        }

        if (!isBodiless)
        {
            Headers.ContentLength = body.Length;
        }
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
