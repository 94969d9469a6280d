using System.IO.Compression;

namespace SendProxy.Sending.Responses;

/// <summary>
/// Answers that come compressed although <c>identity</c> was asked for. In a compressed body no key can be found and no rule
/// can look: it is decoded here and goes on plain. See docs/decisions/0007-key-in-answers.md.
/// </summary>
internal static class ResponseDecoding
{
    /// <returns>Null where the answer is plain; whether it was decoded, else it goes on as it came.</returns>
    public static bool? Decode(HttpResponseMessage answer)
    {
        if (!answer.Content.Headers.NonValidated.Contains("Content-Encoding"))
        {
            return null;
        }

        var coding = string.Join(',', answer.Content.Headers.ContentEncoding).Trim().ToLowerInvariant();
        Func<Stream, Stream>? decoder = coding switch
        {
            "gzip" or "x-gzip" => s => new GZipStream(s, CompressionMode.Decompress),
            "deflate" => s => new ZLibStream(s, CompressionMode.Decompress),
            "br" => s => new BrotliStream(s, CompressionMode.Decompress),
            _ => null,
        };
        if (coding is "" or "identity")
        {
            return null;
        }

        if (decoder is null)
        {
            return false;
        }

        answer.Content = new StreamedContent(answer.Content, decoder, "Content-Encoding", "Content-Length");
        return true;
    }
}
