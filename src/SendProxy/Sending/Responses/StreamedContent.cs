using System.Net;

namespace SendProxy.Sending.Responses;

/// <summary>An answer whose body goes through something on its way: decoding, scrubbing, framing. Its headers are the original's.</summary>
internal class StreamedContent : HttpContent
{
    private readonly HttpContent _original;
    private readonly Func<Stream, Stream> _through;

    /// <param name="through">Makes the stream that is read of the one that came.</param>
    /// <param name="without">Headers that are no longer true.</param>
    public StreamedContent(HttpContent original, Func<Stream, Stream> through, params string[] without)
    {
        (_original, _through) = (original, through);
        foreach (var (name, values) in original.Headers.NonValidated)
        {
            if (!without.Contains(name, StringComparer.OrdinalIgnoreCase))
            {
                Headers.TryAddWithoutValidation(name, values);
            }
        }
    }

    protected override async Task<Stream> CreateContentReadStreamAsync() => _through(await _original.ReadAsStreamAsync());

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await using var body = await CreateContentReadStreamAsync();
        await body.CopyToAsync(stream);
    }

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
}
