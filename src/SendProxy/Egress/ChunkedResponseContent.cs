using System.Globalization;
using System.Text;
using SendProxy.Overload;
using SendProxy.Sending.Responses;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Egress;

/// <summary>
/// The body of a vendor's response that has trailers, on its way to the caller. Kestrel sends no trailers over HTTP/1.1, but it
/// does not frame a body whose Transfer-Encoding is set already. So this content writes the chunks itself, and the trailers
/// behind the last chunk. It takes over the content of the response, which disposes both.
/// </summary>
internal sealed class ChunkedResponseContent(HttpResponseMessage answer, EgressContext call)
    : StreamedContent(answer.Content, body => new ChunkedStream(body, () => Trailers(answer, call)), "Content-Length")
{
    /// <returns>True where the vendor announced trailers, or sent some.</returns>
    public static bool Fits(HttpResponseMessage answer) =>
        (answer.Headers.NonValidated.Contains("Trailer") || answer.TrailingHeaders.NonValidated.Count > 0)
        && ResponseReader.HasContent(answer);

    // Complete once the body has been read to its end.
    private static string Trailers(HttpResponseMessage answer, EgressContext call) => string.Concat(answer.TrailingHeaders.NonValidated
        .Where(t => HeaderNames.ComesBackInTrailer(t.Key)).SelectMany(t => t.Value.Select(v => $"{t.Key}: {Clean(v, call)}\r\n")));

    private static string Clean(string value, EgressContext call)
    {
        if (ResponseChanges.IsClean(value))
        {
            return value;
        }

        call.Change(ResponsePart.Trailer);
        return ResponseChanges.Clean(value);
    }

    /// <summary>Chunked framing (RFC 9112, 7.1) around what is read.</summary>
    private sealed class ChunkedStream(Stream inner, Func<string> trailers) : ReadOnlyStream
    {
        private const int ChunkBytes = 16 * 1024;

        private byte[] _body = [];
        private ReadOnlyMemory<byte> _ready;
        private bool _over;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_ready.IsEmpty && !_over && buffer.Length > 0)
            {
                _body = _body.Length > 0 ? _body : new byte[ChunkBytes];
                _ready = Frame(await inner.ReadAsync(_body, cancellationToken));
            }

            var count = Math.Min(buffer.Length, _ready.Length);
            _ready[..count].CopyTo(buffer);
            _ready = _ready[count..];
            return count;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }

        private byte[] Frame(int read)
        {
            _over = read == 0;
            return _over
                ? Encoding.Latin1.GetBytes($"0\r\n{trailers()}\r\n")
                : [.. Encoding.ASCII.GetBytes(read.ToString("x", CultureInfo.InvariantCulture)), .. "\r\n"u8, .. _body.AsSpan(0, read), .. "\r\n"u8];
        }
    }
}
