using System.Globalization;
using SendProxy.Overload;

namespace SendProxy.Sending.Responses;

/// <summary>
/// How long a response's body is where its headers contradict themselves (RFC 9112, 6.3): Transfer-Encoding wins over
/// Content-Length, and equal lengths are one length. SocketsHttpHandler by itself takes them for none, and waits for the
/// connection's end.
/// </summary>
internal static class ResponseFraming
{
    private const string ContentLength = "Content-Length";

    /// <returns>The one length that the response states; null where it states none, or several, or one that is no number.</returns>
    public static long? Length(HttpResponseMessage response)
    {
        if (!response.Content.Headers.NonValidated.TryGetValues(ContentLength, out var values))
        {
            return null;
        }

        long? length = null;
        foreach (var part in values.SelectMany(v => v.Split(',')))
        {
            if (!long.TryParse(part.AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var one) || (length ?? one) != one)
            {
                return null;
            }

            length = one;
        }

        return length;
    }

    /// <summary>Makes the response's content one whose length, if it has one, is the length of its body.</summary>
    public static void Normalize(HttpResponseMessage response)
    {
        var headers = response.Content.Headers;
        if (!headers.NonValidated.TryGetValues(ContentLength, out var values))
        {
            return;
        }

        if (response.Headers.TransferEncodingChunked == true)
        {
            headers.Remove(ContentLength);
            return;
        }

        if (values.Count == 1 && headers.ContentLength is not null)
        {
            return;
        }

        // The handler reads on until the connection ends; the body may end before.
        var length = Length(response);
        headers.Remove(ContentLength);
        if (length is { } known)
        {
            response.Content = new StreamedContent(response.Content, body => new ExactLengthStream(body, known));
            response.Content.Headers.ContentLength = known;
        }
    }

    /// <summary>A body that ends with its length, whatever follows on the connection.</summary>
    private sealed class ExactLengthStream(Stream inner, long length) : ReadOnlyStream
    {
        private long _left = length;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_left == 0 || buffer.IsEmpty)
            {
                return 0;
            }

            var read = await inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken);
            _left -= read;
            return read > 0 ? read : throw new EndOfStreamException("The body ended before its length.");
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inner.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
