using System.Net.Sockets;
using System.Text;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Secrecy;

// A vendor that says the key back, in every place of a response that a vendor writes.
public class KeyEchoTests
{
    private static readonly string Encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(EgressStage.Key));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("200 Hello KEY", "Content-Length: 2", "{}")]
    [InlineData("200 OK", "Content-Type: text/KEY\r\nContent-Language: KEY\r\nAllow: KEY\r\nContent-Length: 2", "{}")]
    [InlineData("200 OK", "X-Request: POST\r\nX-Authorization: Bearer KEY\r\nX-Basic: Basic B64\r\nContent-Length: 2", "{}")]
    [InlineData("200 OK", "X-KEY: 1\r\nContent-Length: 2", "{}")]
    [InlineData("400 Bad KEY", "Content-Type: text/event-stream\r\nConnection: close", "data: KEY B64\n\n")]
    [InlineData("200 OK", "Transfer-Encoding: chunked\r\nTrailer: X-Sum", "2\r\n{}\r\n0\r\nX-Sum: KEY B64\r\n\r\n")]
    [InlineData("404 KEY", "Transfer-Encoding: chunked", "17\r\nB64\r\n0\r\n\r\n")]
    public async Task Key_SaidBack_ReachesNobody(string status, string headers, string body)
    {
        var raw = Filled($"HTTP/1.1 {status}\r\n{headers}\r\n\r\n{body}").Replace("17\r\n", $"{Encoded.Length:x}\r\n", StringComparison.Ordinal);
        await using var vendor = new WireVendor(async c =>
        {
            if (await c.ReadAsync(t => t.EndsWith("{}", StringComparison.Ordinal)))
            {
                await c.WriteAsync(raw);
                if (!raw.Contains("Connection: close", StringComparison.Ordinal))
                {
                    await c.ReadToEndAsync();
                }
            }
        });
        await using var app = await EgressApp.StartAsync(vendor.Address, "retry: { attempts: 1 }, messageId: /id",
            more: "telemetry: { log: { level: debug } }\nroutes: [{ name: raw, upstream: sendapi, match: { methods: [POST], prefix: / } }]");
        using var caller = new TcpClient();
        await caller.ConnectAsync(app.Client.BaseAddress!.Host, app.Client.BaseAddress.Port, Token);
        var connection = new WireConnection(caller.GetStream(), caller.Client, Token);

        await connection.WriteAsync("POST /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}");
        var answer = await connection.ReadToEndAsync().WaitAsync(ProxyProcess.Guard, Token);

        Assert.StartsWith($"HTTP/1.1 {status[..3]}", answer, StringComparison.Ordinal);
        Assert.Contains("*****", answer + (headers.Contains("X-KEY", StringComparison.Ordinal) ? "*****" : ""), StringComparison.Ordinal);
        KeyHunt.AssertHidden("the answer", answer.ToLowerInvariant());
        KeyHunt.AssertHidden("the answer", answer);
        await app.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"request\"", StringComparison.Ordinal), Token);
        KeyHunt.AssertHidden(app.Proxy);
        Assert.Matches("sendproxy_secrets_scrubbed_total\\{upstream=\"sendapi\"\\} [1-9]", await app.MetricsAsync());
    }

    private static string Filled(string text) => text
        .Replace("KEY", EgressStage.Key, StringComparison.Ordinal).Replace("B64", Encoded, StringComparison.Ordinal);
}
