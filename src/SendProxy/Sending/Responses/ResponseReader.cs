using System.Net;

namespace SendProxy.Sending.Responses;

/// <summary>
/// Reads answers up to 64 KiB before the first byte goes to the caller, so that one that breaks off can be repeated, and a
/// key in it scrubbed. Larger ones and event streams are passed on as they come.
/// </summary>
internal static class ResponseReader
{
    public const int MaxBufferedBytes = 64 * 1024;

    /// <param name="method">Of the request.</param>
    /// <param name="decoded">Null where the body came plain; else whether it was decoded, or goes on as it came.</param>
    /// <returns>The whole body, or null where it is to be streamed: then it is in the answer's content.</returns>
    /// <exception cref="HttpRequestException">The body broke off.</exception>
    /// <exception cref="IOException">The body broke off.</exception>
    public static ValueTask<byte[]?> ReadAsync(HttpMethod method, HttpResponseMessage answer, out bool? decoded, CancellationToken cancellation)
    {
        decoded = null;
        if (IsBodiless(method, answer))
        {
            return new([]);
        }

        ResponseFraming.Normalize(answer);
        decoded = ResponseDecoding.Decode(answer);
        return ReadAsync(answer, cancellation);
    }

    private static async ValueTask<byte[]?> ReadAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        var length = answer.Content.Headers.ContentLength;
        if (length > MaxBufferedBytes || IsEventStream(answer))
        {
            return null;
        }

        var stream = await answer.Content.ReadAsStreamAsync(cancellation);
        if (length is { } known)
        {
            var exact = new byte[known];
            await stream.ReadExactlyAsync(exact, cancellation);
            return exact;
        }

        var buffer = new byte[4096];
        var filled = 0;
        while (true)
        {
            var read = await stream.ReadAsync(buffer.AsMemory(filled), cancellation);
            filled += read;
            if (read == 0)
            {
                return buffer[..filled];
            }

            if (filled == MaxBufferedBytes)
            {
                answer.Content = new StreamedContent(answer.Content, _ => new PrefixedStream(buffer, stream));
                return null;
            }

            if (filled == buffer.Length)
            {
                Array.Resize(ref buffer, Math.Min(buffer.Length * 4, MaxBufferedBytes));
            }
        }
    }

    /// <returns>False where there can be none: HTTP/1.1 has them in chunked bodies only. It matters because asking a response for its trailers allocates them.</returns>
    public static bool MayHaveTrailers(HttpResponseMessage answer) => answer.Version.Major != 1 || answer.Headers.NonValidated.Contains("Transfer-Encoding");

    /// <returns>True where there is no body, whatever the headers say: they describe the body that GET would get.</returns>
    public static bool IsBodiless(HttpMethod method, HttpResponseMessage answer) =>
        method == HttpMethod.Head || answer.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.NotModified;

    /// <returns>False where the status allows the caller no body (RFC 9110, 15.3.5, 15.3.6, 15.4.5). The body of a 205 is still read, since it may be on the connection.</returns>
    public static bool HasContent(HttpResponseMessage answer) =>
        answer.StatusCode is not (HttpStatusCode.NoContent or HttpStatusCode.ResetContent or HttpStatusCode.NotModified);

    private static bool IsEventStream(HttpResponseMessage answer) =>
        answer.Content.Headers.NonValidated.TryGetValues("Content-Type", out var type)
        && type.ToString().StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase)
        && answer.Content.Headers.ContentType?.MediaType?.Equals("text/event-stream", StringComparison.OrdinalIgnoreCase) == true;
}
