using static SendProxy.IntegrationTests.Abuse.AbuseCase;

namespace SendProxy.IntegrationTests.Abuse;

/// <summary>Headers: hosts that a page could have rebound, what only browsers send, forms and volumes that no program needs.</summary>
internal static class HeadCases
{
    public static IEnumerable<AbuseCase> All => [.. Hosts, .. Browsers, .. Forms, .. Volumes, .. Doubled, .. Expectations];

    private static IEnumerable<AbuseCase> Hosts =>
    [
        new("host: none", Post(Length, Body, host: ""), "400"),
        new("host: none on HTTP/1.0", Post(Length, Body, host: "", version: "HTTP/1.0"), Host),
        new("host: two, equal", Post(Length, Body, host: "Host: localhost\r\nHost: localhost\r\n"), "400"),
        new("host: two, different", Post(Length, Body, host: "Host: localhost\r\nHost: evil.example\r\n"), "400"),
        new("host: folded", Post(Length, Body, host: "Host:\r\n localhost\r\n"), "400"),
        new("host: space before the colon", Post(Length, Body, host: "Host : localhost\r\n"), "400"),
        new("host: the good one only in X-Forwarded-Host", Post("X-Forwarded-Host: localhost\r\n" + Length, Body, host: "Host: evil.example\r\n"), Host),
        At("evil.example"), At("evil.example:4750"), At("evil.localhost"), At("localhost.evil.example"), At("localhost."), At("localhost.:4750"), At("localhosts"),
        At("127.0.0.2"), At("127.1"), At("2130706433"), At("0x7f000001"), At("0177.0.0.1"), At("0.0.0.0"), At("10.0.0.1:4750"), At("127.0.0.1.nip.io"),
        At("[::]", "400"), At("[::ffff:127.0.0.1]"), At("[0:0:0:0:0:0:0:1]"), At("::1", "400"), At("[::1", "400"), At("[::1%25lo]", "400"),
        At("", Host), At("user@localhost", "400"), At("localhost@evil.example", "400"), At("localhost:4750@evil.example", "400"), At("localhost:abc", "400"),
        At("localhost,evil.example", "400"), At("localhost evil.example", "400"), At("localhost/evil", "400"), At("localhost#", "400"), At("localhost?a", "400"), At("localhost\\", "400"),
        At("l\xd0\xbe" + "calhost", "400"), At("localhost\0", "400"), At("xn--lcalhost-66e"), At("https://localhost", "400"), At("%6cocalhost", "400"),
    ];

    private static IEnumerable<AbuseCase> Browsers =>
    [
        Head("Origin: null", Browser), Head("Origin: http://localhost", Browser), Head("Origin: http://localhost:4750", Browser), Head("Origin: http://evil.example", Browser),
        Head("Origin:", Browser), Head("origin: file://", Browser), Head("Origin: chrome-extension://abcdefghijklmnop", Browser),
        Head("Sec-Fetch-Site: same-origin", Browser), Head("Sec-Fetch-Site: none", Browser), Head("Sec-Fetch-Site: cross-site", Browser), Head("Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Site: cross-site", Browser),
        Head("Sec-Fetch-Dest: empty", Browser), Head("Sec-Fetch-User: ?1", Browser), Head("Sec-Fetch-Storage-Access: active", Browser), Head("sec-ch-ua: \"Chromium\"", Browser),
        Head("Referer: http://evil.example/", Browser), Head("Referer: http://localhost.evil.example/", Browser), Head("Referer: http://localhost@evil.example/", Browser), Head("Referer: x", Browser), Head("Upgrade-Insecure-Requests: 1", Browser), Head("Access-Control-Request-Method: POST", Browser), Head("Access-Control-Request-Headers: content-type", Browser),
        Head("Access-Control-Request-Private-Network: true", Browser), Head("Access-Control-Request-Local-Network: true", Browser),
        new("browser: preflight",
            "OPTIONS /v1/sms/send HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\nConnection: close\r\n\r\n", Browser),
        new("browser: preflight for a local network",
            "OPTIONS /v1/sms/send HTTP/1.1\r\nHost: localhost\r\nAccess-Control-Request-Private-Network: true\r\nConnection: close\r\n\r\n", Browser),
        new("browser: a form of text/plain",
            GoodRequest.Replace("Content-Type: application/json", "Content-Type: text/plain\r\nOrigin: http://evil.example", StringComparison.Ordinal), Browser),
        new("browser: a page under a rebound name", Post("Sec-Fetch-Site: same-origin\r\n" + Length, Body, host: "Host: rebound.example:4750\r\n"), Host),
    ];

    private static IEnumerable<AbuseCase> Forms =>
    [
        Head("X-A: a\0b", "400"), Head("X-A: a\x01" + "b", Malformed), Head("X-A: a\x1b[2J", Malformed), Head("X-A: a\x7f", Malformed), Head("X-A: a\x0b", Malformed),
        Head("X-A: a\rb", "400"), Head("X\0A: b", "400"), Head("X\x01" + "A: b", Malformed), Head("X A: b", "400"), Head("X(A): b", Malformed), Head("X-\xc3\xa4: b", "400"), Head(": b", "400"), Head("X-A", "400"),
        Head(" X-A: b", "400"), Head("\tX-A: b", "400"), Head("X-A: b\r\n folded", "400"), Head("X-A: b\r\n\tfolded", "400"), Head("X-A : b", "400"), Head("X-A\t: b", "400"),
        Head("X-A: b\nX-B: c", "400"), Head("GET / HTTP/1.1", "400"),
        Head("Idempotency_Key: a", Malformed), Head("SendProxy_Token: a", Malformed), Head("X_Forwarded_For: 127.0.0.1", Malformed), Head("Content-Encoding: gzip\r\nContent-Encoding: br", Malformed),
    ];

    private static IEnumerable<AbuseCase> Volumes =>
    [
        new("volume: a line of 40 KiB", With("X-A: " + new string('a', 40 * 1024)), "431"),
        new("volume: a name of 40 KiB", With(new string('a', 40 * 1024) + ": b"), "431"),
        new("volume: 200 headers", With(string.Join("\r\n", Enumerable.Range(0, 200).Select(i => $"X-{i}: a"))), "431"),
        new("volume: 40 headers of 1 KiB", With(string.Join("\r\n", Enumerable.Range(0, 40).Select(i => $"X-{i}: {new string('a', 1024)}"))), "431"),
        new("volume: 1 MiB of a header without end", "POST /v1/sms/send HTTP/1.1\r\nHost: localhost\r\nX-A: " + new string('a', 1 << 20), "431"),
        new("volume: 1 MiB of a request line without end", "POST /" + new string('a', 1 << 20), "414"),
        new("volume: 1 MiB of empty lines", string.Concat(Enumerable.Repeat("\r\n", 1 << 19)) + To("/nowhere"), NoRoute),
    ];

    private static IEnumerable<AbuseCase> Doubled =>
    [
        Head("Idempotency-Key: a\r\nIdempotency-Key: b", "400 idempotency_key_invalid"), Head("Idempotency-Key: a\r\nIdempotency-Key: a", "400 idempotency_key_invalid"),
        Head("Idempotency-Key:", "400 idempotency_key_invalid"), Head("Idempotency-Key: a b", "400 idempotency_key_invalid"),
        Head("Idempotency-Key: " + new string('k', 256), "400 idempotency_key_invalid"),
        Head("Content-Type: text/plain", Malformed), Head("Content-Type: application/json", Malformed),
        Head("Authorization: Bearer a\r\nAuthorization: Bearer b", Malformed), Head("SendProxy-Token: a\r\nSendProxy-Token: b", Malformed),
        Head("SendProxy-Timeout: 1s\r\nSendProxy-Timeout: 2s", Malformed), Head("Authorization: Bearer sk_live_abcdefgh12345678", "400 secret_in_request"),
    ];

    private static IEnumerable<AbuseCase> Expectations =>
    [
        Head("Expect: 200-ok", Malformed), Head("Expect: 100-continue, 200-ok", Malformed), Head("Expect:", Malformed), Head("Expect: 100-continue\r\nExpect: 100-continue", Malformed),
        new("expect: no 100 for a refused target", Post("Expect: 100-continue\r\n" + Length, Body, "/nowhere"), NoRoute),
        new("expect: no 100 for a foreign host", Post("Expect: 100-continue\r\n" + Length, Body, host: "Host: evil.example\r\n"), Host),
        new("expect: no 100 for a body that is too large", Post("Expect: 100-continue\r\nContent-Length: 1048577\r\n", ""), "413 body_too_large"),
    ];

    private static AbuseCase At(string host, string answer = Host) => new($"host: {Shown(host)}", AtHost(host), answer);

    private static AbuseCase Head(string lines, string answer) => new($"header: {Shown(lines)}", With(lines), answer);

    private static string Shown(string text) =>
        string.Concat(text.Take(70).Select(c => c is >= ' ' and < '\x7f' ? c.ToString() : $"[{(int)c:x2}]"));
}
