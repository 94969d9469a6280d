using static SendProxy.IntegrationTests.Abuse.AbuseCase;

namespace SendProxy.IntegrationTests.Abuse;

/// <summary>Request lines: targets that another parser could read as another path, and everything that is no plain HTTP/1.1.</summary>
internal static class TargetCases
{
    public static IEnumerable<AbuseCase> All => [.. Paths, .. Forms, .. Lines, .. Methods];

    private static IEnumerable<AbuseCase> Paths =>
    [
        Target("/v1/sms/../sms/send"), Target("/v1/./sms/send"), Target("/../v1/sms/send"), Target("/v1/sms/send/.."), Target("/v1/sms/send/."),
        Target("/v1/%2e%2e/v1/sms/send"), Target("/v1/%2E%2E/v1/sms/send"), Target("/v1/.%2e/v1/sms/send"), Target("/v1/%2e/sms/send"),
        Target("/v1%2fsms%2fsend"), Target("/v1/sms%2Fsend"), Target("/v1%5csms%5csend"), Target("/v1/sms\\send"), Target("\\v1\\sms\\send", "400"),
        Target("//v1/sms/send"), Target("/v1//sms/send"), Target("/v1/sms//send"), Target("///v1/sms/send"), Target("/v1/sms/send//"),
        Target("/v1/sms/send;a=b"), Target("/v1;x/sms/send"), Target("/v1/sms/send%3ba"), Target("/v1/..;/v1/sms/send"),
        Target("/v1/%252e%252e/v1/sms/send"), Target("/v1/sms%252fsend"), Target("/v1/%c0%ae%c0%ae/v1/sms/send", NoRoute),
        Target("/v1/%73ms/send"), Target("/%76%31/sms/send"), Target("/v1/sms/send%00", "400"), Target("/v1/sms/send%0d%0aX-A:%20b"), Target("/v1/sms/send%0a"),
        Target("/v1/sms/send%"), Target("/v1/sms/send%4"), Target("/v1/sms/send%zz"), Target("/v1/sms/send%u002f"), Target("/v1/sms/send#a"), Target("#", "400"),
        Target("/v1/sms/send?a=b#c"), Target("/v1/sms/send?a=%00"), Target("/v1/sms/send?a=%"),
        Target("/v1/sms/send\x7f"), Target("/v1/sms/send\x01"), Target("/v1/sms/send\0", "400"), Target("/v1/sms/s\xc3\xa4nd", "400"), Target("/v1/sms/send\xff", "400"),
        Target("/v1/sms/send?a=\xc3\xa4", "400"), Target("/V1/SMS/SEND", NoRoute), Target("/v1/sms/send/", NoRoute), Target("/v1/sms/send%20", NoRoute),
        Target("/v1/sms", NoRoute), Target("/", NoRoute), Target("/metrics", NoRoute), Target("/webhooks/sendapi", NoRoute), Target("/sendproxy/outbox/1", NoRoute),
        new("target: 8193 bytes", To("/v1/sms/send?a=" + new string('a', 8192 - 14)), Malformed),
        new("target: 13000 bytes", To("/v1/sms/send?a=" + new string('a', 13000)), "414"),
    ];

    private static IEnumerable<AbuseCase> Forms =>
    [
        Target("http://localhost/v1/sms/send"), Target("HTTP://localhost/v1/sms/send", "400"), Target("https://localhost/v1/sms/send"),
        Target("http://api.sendapi.example/v1/sms/send", "400"), Target("http://169.254.169.254/latest/meta-data", "400"), Target("http://user@localhost/v1/sms/send"),
        Target("ftp://localhost/v1/sms/send", "400"), Target("file:///v1/sms/send", "400"), Target("localhost:4750", "405"), Target("localhost/v1/sms/send", "400"), Target("*", "405"),
        Target("v1/sms/send", "400"), Target("?a=b", "400"), Target("@localhost/v1/sms/send", "400"), Target("", "400"),
        new("form: absolute, and the Host another", Post(Length, Body, "http://localhost/v1/sms/send", "Host: evil.example\r\n"), "400"),
        new("form: absolute and foreign, and the Host its own", Post(Length, Body, "http://evil.example/v1/sms/send", "Host: evil.example\r\n"), Malformed),
        new("form: CONNECT to an authority", "CONNECT api.sendapi.example:443 HTTP/1.1\r\nHost: api.sendapi.example:443\r\nConnection: close\r\n\r\n", Protocol),
        new("form: CONNECT to localhost", "CONNECT localhost:4750 HTTP/1.1\r\nHost: localhost:4750\r\nConnection: close\r\n\r\n", Protocol),
        new("form: CONNECT with a path", "CONNECT /v1/sms/send HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", Protocol),
        new("form: OPTIONS with an asterisk", "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", Malformed),
    ];

    private static IEnumerable<AbuseCase> Lines =>
    [
        new("line: HTTP/0.9", "GET /v1/messages/x\r\n", "400"),
        new("line: HTTP/1.2", Post(Length, Body, version: "HTTP/1.2"), "505"),
        new("line: HTTP/2.0", Post(Length, Body, version: "HTTP/2.0"), "505"),
        new("line: HTTP/3", Post(Length, Body, version: "HTTP/3"), "400"),
        new("line: http/1.1", Post(Length, Body, version: "http/1.1"), "505"),
        new("line: no version", Post(Length, Body, version: ""), "400"),
        new("line: words after the version", Post(Length, Body, version: "HTTP/1.1 x"), "400"),
        new("line: a tab between its parts", GoodRequest.Replace("POST /v1/sms/send HTTP", "POST\t/v1/sms/send\tHTTP", StringComparison.Ordinal), "400"),
        new("line: two spaces", GoodRequest.Replace("POST /", "POST  /", StringComparison.Ordinal), "400"),
        new("line: a space first", " " + GoodRequest, "400"),
        new("line: a NUL first", "\0" + GoodRequest, "400"),
        new("line: LF alone", GoodRequest.Replace("HTTP/1.1\r\n", "HTTP/1.1\n", StringComparison.Ordinal), "400"),
        new("line: CR alone", GoodRequest.Replace("HTTP/1.1\r\n", "HTTP/1.1\r", StringComparison.Ordinal), "400"),
        new("line: LF alone everywhere", GoodRequest.Replace("\r\n", "\n", StringComparison.Ordinal), "400"),
        new("line: a preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", Wire.GoAway),
        new("line: a hello of TLS", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + new string('a', 500) + "\r\n", "400"),
        new("line: a version of the PROXY protocol", "PROXY TCP4 10.0.0.1 127.0.0.1 1 4750\r\n" + GoodRequest, "400"),
        new("line: a command of SMTP", "EHLO localhost\r\n" + GoodRequest, "400"),
        new("line: an upgrade to a web socket",
            "GET /v1/messages/x HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + To("/nowhere"), $"{Protocol}, {NoRoute}"),
        new("line: gRPC", GoodRequest.Replace("application/json", "application/grpc", StringComparison.Ordinal), Protocol),
    ];

    private static IEnumerable<AbuseCase> Methods =>
    [
        Verb("post", Method), Verb("Post", Method), Verb("FOO", Method), Verb("TRACE", Method), Verb("TRACK", Method), Verb("OPTIONS", Method), Verb("PUT", Method),
        Verb("GET", Method), Verb("PROPFIND", Method), Verb("P/OST", "400"), Verb("POST\0", "400"), Verb("PO\x01ST", "400"), Verb("P\xd6ST", "400"), Verb("", "400"),
        Verb(new string('A', 13000), "414"),
        new("method: GET with a body", "GET /v1/messages/x HTTP/1.1\r\nHost: localhost\r\n" + Length + "Connection: close\r\n\r\n" + Body, Malformed),
        new("method: GET with chunks", "GET /v1/messages/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + Chunked, Malformed),
        new("method: another by X-HTTP-Method-Override", With("X-HTTP-Method-Override: DELETE"), Malformed),
        new("method: another by X-HTTP-Method", With("X-HTTP-Method: DELETE"), Malformed),
        new("method: another by X-Method-Override", With("x-method-override: DELETE"), Malformed),
        new("method: another by _method", To("/v1/sms/send?_method=DELETE").Replace("POST", "DELETE", StringComparison.Ordinal), Method),
        new("target: another by X-Original-URL", With("X-Original-URL: /v1/admin"), Malformed),
        new("target: another by X-Rewrite-URL", With("X-Rewrite-URL: /v1/admin"), Malformed),
        new("method: POST to a route of GET", To("/v1/messages/x"), Method),
    ];

    private static AbuseCase Target(string target, string answer = Malformed) =>
        new($"target: {string.Concat(target.Select(c => c is > ' ' and < '\x7f' ? c.ToString() : $"[{(int)c:x2}]"))}", To(target), answer);

    private static AbuseCase Verb(string method, string answer) =>
        new($"method: {string.Concat(method.Take(12).Select(c => c is > ' ' and < '\x7f' ? c.ToString() : $"[{(int)c:x2}]"))}",
            GoodRequest.Replace("POST ", method + " ", StringComparison.Ordinal), answer);
}
