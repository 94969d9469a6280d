namespace SendProxy.Sending.Attempts;

/// <summary>
/// Reads answers up to 64 KiB before the first byte goes to the caller, so that one that breaks off can be repeated, and a
/// key in it scrubbed. Larger ones and event streams are passed on as they come.
/// </summary>
internal static class AnswerReader
{
    public const int MaxBufferedBytes = 64 * 1024;

    /// <returns>The whole body, or null where it is to be streamed: then the answer's content is as it was.</returns>
    /// <exception cref="HttpRequestException">The body broke off.</exception>
    /// <exception cref="IOException">The body broke off.</exception>
    public static async Task<byte[]?> ReadAsync(HttpResponseMessage answer, CancellationToken cancellation)
    {
        var length = answer.Content.Headers.ContentLength;
        if (length > MaxBufferedBytes || answer.Content.Headers.ContentType?.MediaType == "text/event-stream")
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
                answer.Content = new PrefixedContent(buffer, stream, answer.Content);
                return null;
            }

            if (filled == buffer.Length)
            {
                Array.Resize(ref buffer, Math.Min(buffer.Length * 4, MaxBufferedBytes));
            }
        }
    }
}
