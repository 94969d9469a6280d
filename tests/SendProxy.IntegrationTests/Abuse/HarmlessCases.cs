using static SendProxy.IntegrationTests.Abuse.AbuseCase;

namespace SendProxy.IntegrationTests.Abuse;

/// <summary>Requests that look odd and are good: each arrives at the vendor once, framed anew, with the same body.</summary>
internal static class HarmlessCases
{
    public static IEnumerable<AbuseCase> All =>
    [
        Host("localhost"), Host("localhost:4750"), Host("localhost:1"), Host("127.0.0.1"), Host("127.0.0.1:4750"), Host("[::1]"), Host("[::1]:4750"), Host("LOCALHOST:4750"),
        new("chunked", Post("Transfer-Encoding: chunked\r\n", Chunked), "202"),
        new("chunked, in capitals, behind a tab", Post("TRANSFER-ENCODING:\tCHUNKED\r\n", Chunked), "202"),
        new("chunked, with an extension", Post("Transfer-Encoding: chunked\r\n", $"{Body.Length:x};name=\"value\"\r\n{Body}\r\n0\r\n\r\n"), "202"),
        new("chunked, with zeros before the size", Post("Transfer-Encoding: chunked\r\n", $"0000{Chunked}"), "202"),
        new("chunked, with trailers that name a length", Post("Transfer-Encoding: chunked\r\n", $"{Body.Length:x}\r\n{Body}\r\n0\r\nContent-Length: 5\r\nHost: evil.example\r\n\r\n"), "202"),
        // Kestrel reads the number as .NET does. It is framed anew, so that no reader behind the proxy sees the plus.
        new("a plus sign before the length", Post($"Content-Length: +{Body.Length}\r\n", Body), "202"),
        new("empty lines before the request", "\r\n\r\n" + GoodRequest, "202"),
        new("headers that name other hosts", With("X-Forwarded-Host: evil.example\r\nForwarded: host=evil.example"), "202"),
        new("cookies and an Authorization", With("Cookie: a=b\r\nAuthorization: Bearer somebody"), "202"),
        new("a header with an underscore", With("x_trace_id: 1"), "202"),
        new("Expect", With("Expect: 100-continue"), "202"),
        new("an offer of h2c", With("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings"), "202"),
        new("an offer of TLS", With("Upgrade: TLS/1.2\r\nConnection: Upgrade"), "202"),
        new("an offer without Connection", With("Upgrade: h2c"), "202"),
        new("Connection: Upgrade without an offer", With("Connection: Upgrade"), "202"),
        new("Sec-Fetch-Mode alone, as of Node's fetch", With("sec-fetch-mode: cors"), "202"),
        new("a Referer of this very port", With("Referer: http://localhost/v1/sms/send"), "202"),
        new("a header in UTF-8", With("X-A: \xc3\xa4"), "202"),
        new("a query with what URLs of browsers and Go leave as it is", To("/v1/sms/send?a={b}|c^d`e&f=\"g\"<h>\\"), "202"),
        new("a query with lines", To("/v1/sms/send?a=%0d%0a%09"), "202"),
        new("HTTP/1.0 with a Host and a length", Post(Length, Body, version: "HTTP/1.0"), "202"),
        new("Connection names what is to be dropped", With("X-Drop: a\r\nConnection: X-Drop"), "202"),
    ];

    private static AbuseCase Host(string host) => new($"Host: {host}", AtHost(host), "202");
}
