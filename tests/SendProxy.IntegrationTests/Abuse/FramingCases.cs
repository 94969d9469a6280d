using static SendProxy.IntegrationTests.Abuse.AbuseCase;

namespace SendProxy.IntegrationTests.Abuse;

/// <summary>Where a request ends: what two readers could see differently (RFC 9112, 6 and 7; PortSwigger's and narfindustries' collections).</summary>
internal static class FramingCases
{
    private const string Te = "Transfer-Encoding: chunked\r\n";

    public static IEnumerable<AbuseCase> All => [.. BothLengths, .. Encodings, .. Lengths, .. Chunks, .. Pipelined];

    private static IEnumerable<AbuseCase> BothLengths =>
    [
        new("both: CL right, TE chunked", Post(Length + Te, Chunked), Malformed),
        new("both: TE chunked, CL right", Post(Te + Length, Chunked), Malformed),
        new("both: CL 0, TE chunked", Post("Content-Length: 0\r\n" + Te, Chunked), Malformed),
        new("both: CL.TE with a prefix left over", Post("Content-Length: 6\r\n" + Te, "0\r\n\r\nG"), Malformed),
        new("both: TE.CL with a request in the chunk", Post("Content-Length: 4\r\n" + Te, $"{GoodRequest.Length:x}\r\n{GoodRequest}\r\n0\r\n\r\n"), Malformed),
        new("both: TE behind a tab", Post(Length + "Transfer-Encoding:\tchunked\r\n", Chunked), Malformed),
        new("both: TE without a space", Post(Length + "Transfer-Encoding:chunked\r\n", Chunked), Malformed),
        new("both: TE with spaces after it", Post(Length + "Transfer-Encoding: chunked   \r\n", Chunked), Malformed),
        new("both: TE in capitals", Post(Length + "TRANSFER-ENCODING: CHUNKED\r\n", Chunked), Malformed),
        new("both: TE in mixed case", Post(Length + "Transfer-Encoding: cHuNkEd\r\n", Chunked), Malformed),
    ];

    private static IEnumerable<AbuseCase> Encodings =>
    [
        new("te: identity", Post("Transfer-Encoding: identity\r\n", Chunked), "400"),
        new("te: identity and CL", Post(Length + "Transfer-Encoding: identity\r\n", Body), "400"),
        new("te: xchunked", Post("Transfer-Encoding: xchunked\r\n", Chunked), "400"),
        new("te: xchunked and CL", Post(Length + "Transfer-Encoding: xchunked\r\n", Body), "400"),
        new("te: chunked in quotes", Post("Transfer-Encoding: \"chunked\"\r\n", Chunked), "400"),
        new("te: chunked with a parameter", Post("Transfer-Encoding: chunked;q=1\r\n", Chunked), "400"),
        new("te: chunked, identity", Post("Transfer-Encoding: chunked, identity\r\n", Chunked), "400"),
        new("te: identity, chunked", Post("Transfer-Encoding: identity, chunked\r\n", Chunked), Malformed),
        new("te: gzip, chunked", Post("Transfer-Encoding: gzip, chunked\r\n", Chunked), Malformed),
        new("te: chunked, chunked", Post("Transfer-Encoding: chunked, chunked\r\n", Chunked), Malformed),
        new("te: a comma and chunked", Post("Transfer-Encoding: ,chunked\r\n", Chunked), Malformed),
        new("te: two headers, both chunked", Post(Te + Te, Chunked), Malformed),
        new("te: two headers, identity first", Post("Transfer-Encoding: identity\r\n" + Te, Chunked), Malformed),
        new("te: two headers, identity last", Post(Te + "Transfer-Encoding: identity\r\n", Chunked), "400"),
        new("te: two headers, the second empty", Post(Te + "Transfer-Encoding:\r\n", Chunked), Malformed),
        new("te: empty", Post("Transfer-Encoding:\r\n" + Length, Body), "400"),
        new("te: vertical tab before chunked", Post("Transfer-Encoding: \vchunked\r\n", Chunked), "400"),
        new("te: NUL after chunked", Post("Transfer-Encoding: chunked\0\r\n", Chunked), "400"),
        new("te: space before the colon", Post("Transfer-Encoding : chunked\r\n" + Length, Body), "400"),
        new("te: tab before the colon", Post("Transfer-Encoding\t: chunked\r\n" + Length, Body), "400"),
        new("te: folded under another header", Post("X-A: b\r\n Transfer-Encoding: chunked\r\n" + Length, Body), "400"),
        new("te: folded value", Post("Transfer-Encoding:\r\n chunked\r\n" + Length, Body), "400"),
        new("te: behind a bare CR", Post("X-A: b\rTransfer-Encoding: chunked\r\n" + Length, Body), "400"),
        new("te: behind a bare LF", Post("X-A: b\nTransfer-Encoding: chunked\r\n" + Length, Body), "400"),
        new("te: with an underscore", Post("Transfer_Encoding: chunked\r\n" + Length, Body), Malformed),
        new("te: on HTTP/1.0", Post(Te, Chunked, version: "HTTP/1.0"), Malformed),
    ];

    private static IEnumerable<AbuseCase> Lengths =>
    [
        new("cl: twice, equal", Post(Length + Length, Body), "400"),
        new("cl: twice, different", Post(Length + "Content-Length: 2\r\n", Body), "400"),
        new("cl: twice in one line", Post("Content-Length: 5, 5\r\n", Body), "400"),
        new("cl: negative", Post("Content-Length: -1\r\n", Body), "400"),
        new("cl: hex", Post("Content-Length: 0x5\r\n", Body), "400"),
        new("cl: a fraction", Post("Content-Length: 5.0\r\n", Body), "400"),
        new("cl: an exponent", Post("Content-Length: 1e1\r\n", Body), "400"),
        new("cl: two numbers", Post("Content-Length: 5 5\r\n", Body), "400"),
        new("cl: over 64 bits", Post("Content-Length: 99999999999999999999\r\n", Body), "400"),
        new("cl: wraps to a small number", Post("Content-Length: 18446744073709551621\r\n", Body), "400"),
        new("cl: the largest of 64 bits", Post("Content-Length: 9223372036854775807\r\n", Body), "413 body_too_large"),
        new("cl: over the route's bound", Post("Content-Length: 1048577\r\n", Body), "413 body_too_large"),
        new("cl: empty", Post("Content-Length:\r\n", Body), "400"),
        new("cl: a letter after it", Post("Content-Length: 5a\r\n", Body), "400"),
        new("cl: a NUL after it", Post("Content-Length: 5\0\r\n", Body), "400"),
        new("cl: digits of another script", Post("Content-Length: \xd9\xa5\r\n", Body), "400"),
        new("cl: with an underscore", Post("Content_Length: 0\r\n" + Length, Body), Malformed),
        new("cl: space before the colon", Post($"Content-Length : {Body.Length}\r\n", Body), "400"),
        new("cl: more than comes", Post($"Content-Length: {Body.Length + 1}\r\n", Body), "closed", Ends: true),
        new("cl: none on HTTP/1.0", Post("", Body, version: "HTTP/1.0"), "400"),
    ];

    private static IEnumerable<AbuseCase> Chunks =>
    [
        Chunk("a size that is no number", "g\r\n" + Body + "\r\n0\r\n\r\n"),
        Chunk("a negative size", "-1\r\n" + Body + "\r\n0\r\n\r\n"),
        Chunk("a plus sign", $"+{Chunked}"),
        Chunk("0x before the size", $"0x{Chunked}"),
        Chunk("a space before the size", $" {Chunked}"),
        Chunk("an underscore in the size", $"0_{Chunked}"),
        Chunk("an empty size", "\r\n" + Body + "\r\n0\r\n\r\n"),
        Chunk("a size over 32 bits", "100000000\r\n" + Body),
        Chunk("a size that wraps to a small number", $"10000000000000{Body.Length:x}\r\n{Body}\r\n0\r\n\r\n"),
        Chunk("a size of 64 bits", "ffffffffffffffff\r\n" + Body),
        Chunk("LF alone after the size", $"{Body.Length:x}\n{Body}\r\n0\r\n\r\n"),
        Chunk("CR alone after the size", $"{Body.Length:x}\r{Body}\r\n0\r\n\r\n"),
        Chunk("LF alone after the data", $"{Body.Length:x}\r\n{Body}\n0\r\n\r\n"),
        Chunk("nothing after the data", $"{Body.Length:x}\r\n{Body}0\r\n\r\n"),
        Chunk("two bytes too many", $"{Body.Length:x}\r\n{Body}xx\r\n0\r\n\r\n"),
        Chunk("a size too small", $"{Body.Length - 1:x}\r\n{Body}\r\n0\r\n\r\n"),
        Chunk("a size too large", $"{Body.Length + 2:x}\r\n{Body}\r\n0\r\n\r\n"),
        // CVE-2025-55315: an extension that ends in LF alone hid a second request.
        Chunk("an extension that ends in LF alone", $"{Body.Length:x};a\n{Body}\r\n0\r\n\r\n"),
        Chunk("an extension with a bare LF in it", $"{Body.Length:x};a\nb\r\n{Body}\r\n0\r\n\r\n"),
        Chunk("an extension with a bare CR in it", $"{Body.Length:x};a\rb\r\n{Body}\r\n0\r\n\r\n"),
        Chunk("a trailer without a colon", $"{Body.Length:x}\r\n{Body}\r\n0\r\nTrailer\r\n\r\n"),
        Chunk("a trailer with a space before the colon", $"{Body.Length:x}\r\n{Body}\r\n0\r\nX-A : b\r\n\r\n"),
        Chunk("LF alone after the last chunk", $"{Body.Length:x}\r\n{Body}\r\n0\n\n"),
        new("chunks: over the route's bound", Post(Te, $"100001\r\n{new string(' ', 0x100001)}\r\n0\r\n\r\n"), "413 body_too_large"),
        new("chunks: no last chunk", Post(Te, $"{Body.Length:x}\r\n{Body}\r\n"), "closed", Ends: true),
    ];

    // Several requests on one connection: each is judged by itself, and a body is never taken for a request.
    private static IEnumerable<AbuseCase> Pipelined =>
    [
        new("pipeline: a second request to a forbidden target", Open("/nowhere", Length, Body) + To("/v1/sms/../sms/send"), $"{NoRoute}, {Malformed}"),
        new("pipeline: a second request to a foreign host", Open("/nowhere", Length, Body) + AtHost("evil.example"), $"{NoRoute}, {Host}"),
        new("pipeline: a second request from a page", Open("/nowhere", Length, Body) + With("Origin: http://localhost"), $"{NoRoute}, {Browser}"),
        new("pipeline: a good request in a refused body", Open("/nowhere", $"Content-Length: {GoodRequest.Length}\r\n", GoodRequest) + To("/nowhere"), $"{NoRoute}, {NoRoute}"),
        new("pipeline: a good request in a refused chunk",
            Open("/nowhere", Te, $"{GoodRequest.Length:x}\r\n{GoodRequest}\r\n0\r\n\r\n") + To("/nowhere"), $"{NoRoute}, {NoRoute}"),
        new("pipeline: a good request behind a bad chunk", Open("/nowhere", Te, "x\r\n") + GoodRequest, NoRoute),
        new("pipeline: a good request behind both lengths", Open("/nowhere", "Content-Length: 5\r\n" + Te, "0\r\n\r\n") + GoodRequest, Malformed),
        new("pipeline: a good request behind close", To("/nowhere") + GoodRequest, NoRoute),
        new("pipeline: a good request in a header", With("X-A: " + GoodRequest.Replace("\r\n", "\n", StringComparison.Ordinal)), "400"),
    ];

    private static AbuseCase Chunk(string name, string body) => new($"chunks: {name}", Post(Te, body), Incomplete, Ends: false);

    private static string Open(string target, string headers, string body) => $"POST {target} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}";
}
