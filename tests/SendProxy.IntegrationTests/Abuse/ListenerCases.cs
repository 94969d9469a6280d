using static SendProxy.IntegrationTests.Abuse.AbuseCase;

namespace SendProxy.IntegrationTests.Abuse;

/// <summary>The routes through the other listeners: by Host, by absolute form, by a request behind a request.</summary>
internal static class ListenerCases
{
    private const string Nothing = "404 not_found";
    private const string Scrape = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";

    public static IEnumerable<AbuseCase> All => [.. Other(At.Metrics), .. Other(At.Webhooks), .. Metrics];

    private static IEnumerable<AbuseCase> Metrics =>
    [
        new("Metrics: a good request behind a scrape", Scrape + GoodRequest, $"200, {Nothing}", At: At.Metrics),
        new("Metrics: a good request in a scrape's body", $"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: {GoodRequest.Length}\r\nConnection: close\r\n\r\n{GoodRequest}",
            "200", At: At.Metrics),
    ];

    private static IEnumerable<AbuseCase> Other(At at) =>
    [
        new($"{at}: a route's path", GoodRequest, Nothing, At: at),
        new($"{at}: with the egress listener's Host", AtHost("127.0.0.1:4750"), Nothing, At: at),
        new($"{at}: in absolute form", Post(Length, Body, "http://localhost:4750/v1/sms/send", "Host: localhost:4750\r\n"), Nothing, At: at),
        new($"{at}: in absolute form to the vendor", Post(Length, Body, "http://api.sendapi.example/v1/sms/send", "Host: api.sendapi.example\r\n"), Nothing, At: at),
        new($"{at}: CONNECT", "CONNECT localhost:4750 HTTP/1.1\r\nHost: localhost:4750\r\nConnection: close\r\n\r\n" + GoodRequest, Nothing, At: at),
        new($"{at}: both lengths", Post("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", $"0\r\n\r\n{GoodRequest}"), Nothing, At: at),
        new($"{at}: an upgrade", With("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nConnection: Upgrade, HTTP2-Settings"), Nothing, At: at),
        new($"{at}: dots to a route", To("/webhooks/../v1/sms/send"), Nothing, At: at),
        new($"{at}: a good request in a refused body", Post($"Content-Length: {GoodRequest.Length}\r\n", GoodRequest), Nothing, At: at),
    ];
}
