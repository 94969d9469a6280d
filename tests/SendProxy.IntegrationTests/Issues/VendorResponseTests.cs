using System.Net.Sockets;
using System.Text;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Issues;

// After the vendor has acted, nothing that it wrote may cost the caller its answer: raw bytes in, raw bytes out.
public class VendorResponseTests
{
    private const string Routes = "routes: [{ name: raw, upstream: sendapi, match: { methods: [GET, HEAD, POST, DELETE], prefix: / } }]";
    private const string Upstream = "retry: { attempts: 1 }, timeouts: { bodyIdle: 5s }";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("202 OK", "X-Note: caf\u00e9\r\nContent-Length: 2", "{}", "202", "X-Note: caf\u00e9", "")]
    [InlineData("202 OK", "X-Note: a\u0001b\u007fc\r\nContent-Length: 2", "{}", "202", "X-Note: a b c", "x-note")]
    [InlineData("202 OK", "Content-Length: 2\r\nContent-Length: 2", "{}", "202", "Content-Length: 2", "")]
    [InlineData("202 OK", "Content-Length: 2, 2", "{}", "202", "Content-Length: 2", "")]
    [InlineData("202 OK", "Content-Length: 1\r\nTransfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n", "202", "Content-Length: 2", "")]
    [InlineData("202 OK", "Content-Length: two\r\nConnection: close", "{}", "202", "Content-Length: 2", "")]
    [InlineData("204 No Content", "Content-Length: 5", "", "204", "X-Kept: yes", "")]
    [InlineData("205 Reset Content", "Content-Length: 2", "{}", "205", "Content-Length: 0", "body")]
    [InlineData("205 Reset Content", "Transfer-Encoding: chunked\r\nTrailer: X-Sum", "2\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n", "205", "Content-Length: 0", "body")]
    [InlineData("202 G\u00fct\u0002", "Content-Length: 2", "{}", "202", "X-Kept: yes", "reason")]
    [InlineData("299 Odd", "Content-Length: 2", "{}", "299", "X-Kept: yes", "")]
    [InlineData("620 Odd", "Content-Length: 2", "{}", "620", "X-Kept: yes", "")]
    [InlineData("999 Denied", "Content-Length: 2", "{}", "999", "X-Kept: yes", "")]
    [InlineData("042 Odd", "Content-Length: 2", "{}", "502", "X-Kept: yes", "status")]
    [InlineData("202 OK", "Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 2", "{}", "202", "Content-Type: a/b", "")]
    [InlineData("202 OK", "ETag:\r\nDate: no date\r\nExpires: \u00ff\r\nContent-Length: 2", "{}", "202", "Expires: \u00ff", "")]
    [InlineData("429 Slow", "Retry-After: 31536000\r\nContent-Length: 2", "{}", "429", "Retry-After: 300", "retry-after")]
    [InlineData("503 Away", "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\nContent-Length: 2", "{}", "503", "Retry-After: 300", "retry-after")]
    [InlineData("429 Slow", "Date: Thu, 26 Nov 2026 06:00:00 GMT\r\nRetry-After: 1795672830\r\nContent-Length: 2", "{}", "429", "Retry-After: 30", "retry-after")]
    [InlineData("429 Slow", "Retry-After: 300\r\nContent-Length: 2", "{}", "429", "Retry-After: 300", "")]
    [InlineData("429 Slow", "Retry-After: soon\r\nContent-Length: 2", "{}", "429", "Retry-After: soon", "")]
    public async Task Response_ThatCannotGoOutAsItCame_StillReachesTheCaller(
        string status, string headers, string body, string expected, string line, string changed)
    {
        await using var vendor = new WireVendor(c => AnswerAsync(c, $"HTTP/1.1 {status}\r\nX-Kept: yes\r\n{headers}\r\n\r\n{body}"));
        await using var app = await EgressApp.StartAsync(vendor.Address, Upstream, more: Routes);

        var (head, answer) = await CallAsync(app, "POST");

        Assert.Equal(expected, head[0].Split(' ')[1]);
        Assert.Contains(head, l => l.Equals(line, StringComparison.OrdinalIgnoreCase));
        Assert.Equal(expected is "204" or "205" ? "" : "{}", answer);
        Assert.Equal(changed, Header(head, "SendProxy-Response-Changed"));
        Assert.Single(Header(head, "SendProxy-Request-Id").Split(','));
        await app.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"request\"", StringComparison.Ordinal)
            && l.Contains($"\"status\":{expected}", StringComparison.Ordinal)
            && l.Contains($"\"responseChanged\":\"{changed}\"", StringComparison.Ordinal) == (changed.Length > 0), Token);
        if (changed.Length > 0)
        {
            var part = changed is "x-note" or "retry-after" ? "header" : changed;
            Assert.Contains($"sendproxy_response_changes_total{{upstream=\"sendapi\",part=\"{part}\"}} 1", await app.MetricsAsync(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(200, 20)]
    [InlineData(3, 9000)]
    [InlineData(1, 100_000)]
    public async Task Response_WithMoreHeadersThanClientsRead_KeepsItsStatusAndBody(int count, int length)
    {
        var many = string.Concat(Enumerable.Range(0, count).Select(i => $"X-{i}: {new string('a', length)}\r\n"));
        await using var vendor = new WireVendor(c => AnswerAsync(c, $"HTTP/1.1 202 OK\r\n{many}Retry-After: 3\r\nContent-Type: a/b\r\nContent-Length: 2\r\n\r\n{{}}"));
        await using var app = await EgressApp.StartAsync(vendor.Address, Upstream, more: Routes);

        var (head, body) = await CallAsync(app, "POST");

        Assert.Equal(("202", "{}", "3", "a/b"), (head[0].Split(' ')[1], body, Header(head, "Retry-After"), Header(head, "Content-Type")));
        // Python's http.client reads 100 header lines, Node.js 16 KiB.
        Assert.InRange(head.Length, 5, 100);
        Assert.InRange(head.Sum(l => l.Length + 2), 100, 16 * 1024);
        Assert.Contains("x-", Header(head, "SendProxy-Response-Changed"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HEAD", "200 OK", "Content-Length: 7\r\nContent-Length: 7", "7")]
    [InlineData("HEAD", "200 OK", "Content-Length: seven", "")]
    [InlineData("GET", "304 Not Modified", "Content-Length: 7, 7", "7")]
    [InlineData("HEAD", "205 Reset Content", "Content-Length: 7", "0")]
    public async Task Response_WithoutABody_TellsOnlyALengthThatIsOne(string method, string status, string headers, string length)
    {
        await using var vendor = new WireVendor(c => AnswerAsync(c, $"HTTP/1.1 {status}\r\n{headers}\r\n\r\n"));
        await using var app = await EgressApp.StartAsync(vendor.Address, Upstream, more: Routes);

        var (head, body) = await CallAsync(app, method);

        Assert.Equal((status.Split(' ')[0], length, ""), (head[0].Split(' ')[1], Header(head, "Content-Length"), body));
    }

    [Fact]
    public async Task Trailer_WithControlCharacters_CannotSplitTheResponse()
    {
        await using var vendor = new WireVendor(c => AnswerAsync(c,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\n{}\r\n0\r\nX-Sum: a\u0001b\r\n\r\n"));
        await using var app = await EgressApp.StartAsync(vendor.Address, Upstream, more: Routes);

        var (_, body) = await CallAsync(app, "POST");

        Assert.Equal("2\r\n{}\r\n0\r\nX-Sum: a b\r\n\r\n", body);
        Assert.Contains("sendproxy_response_changes_total{upstream=\"sendapi\",part=\"trailer\"} 1", await app.MetricsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Response_101ToARequestWithoutUpgrade_IsToldAsBroken()
    {
        await using var vendor = new WireVendor(c => AnswerAsync(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nbytes"));
        await using var app = await EgressApp.StartAsync(vendor.Address, Upstream, more: Routes);

        var (head, _) = await CallAsync(app, "POST");

        Assert.Equal(("upstream_broken", "maybe"), (Header(head, "SendProxy-Error"), Header(head, "SendProxy-Sent")));
    }

    // What no HTTP client could read is told with sent: maybe; all else reaches the caller with its own status.
    [Fact]
    public async Task Response_OfRandomBytesAroundAGoodOne_NeverBecomesInternal()
    {
        var fuzz = new ResponseFuzz(seed: 13);
        var answers = Enumerable.Range(0, 600).Select(_ => fuzz.Next()).ToArray();
        await using var vendor = new WireVendor(async c =>
        {
            if (await c.ReadAsync(t => t.Contains("\r\n\r\n{}", StringComparison.Ordinal)))
            {
                var index = int.Parse(c.Text.Split(' ')[1][1..], System.Globalization.CultureInfo.InvariantCulture);
                await c.WriteAsync(answers[index].Raw);
            }
        });
        await using var app = await EgressApp.StartAsync(vendor.Address, "retry: { attempts: 1 }, breaker: { failureRatio: 100% }", more: Routes);

        for (var i = 0; i < answers.Length; i++)
        {
            var (head, body) = await CallAsync(app, "POST", $"/{i}");
            var status = head[0].Split(' ')[1];
            Assert.True(Header(head, "SendProxy-Request-Id").Length > 0, $"{i}: {answers[i].Raw}\n=>\n{string.Join('\n', head)}");
            Assert.False(Header(head, "SendProxy-Error") == "internal", $"{i}: {answers[i].Raw}");
            if (answers[i].Status is { } expected)
            {
                Assert.True(status == expected, $"{i}: {status} instead of {expected}\n{answers[i].Raw}");
                Assert.Equal(expected is "204" or "205" ? "" : "{}", body);
            }
        }
    }

    private static async Task AnswerAsync(WireConnection connection, string answer)
    {
        // The whole request: to close a connection with something unread resets it.
        if (await connection.ReadAsync(t => t.Contains("\r\n\r\n", StringComparison.Ordinal) && (!t.StartsWith("POST", StringComparison.Ordinal) || t.EndsWith("{}", StringComparison.Ordinal))))
        {
            await connection.WriteAsync(answer);
            if (!answer.Contains("Connection: close", StringComparison.Ordinal))
            {
                await connection.ReadToEndAsync();
            }
        }
    }

    private static string Header(string[] head, string name) => string.Join(',', head
        .Where(l => l.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).Select(l => l[(name.Length + 1)..].Trim()));

    private static async Task<(string[] Head, string Body)> CallAsync(EgressApp app, string method, string path = "/x")
    {
        using var caller = new TcpClient();
        await caller.ConnectAsync(app.Client.BaseAddress!.Host, app.Client.BaseAddress.Port, Token);
        var connection = new WireConnection(caller.GetStream(), caller.Client, Token);
        var length = method == "POST" ? "Content-Length: 2\r\nContent-Type: text/plain\r\n" : "";
        await connection.WriteAsync($"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{length}\r\n{(length.Length > 0 ? "{}" : "")}");
        var all = await connection.ReadToEndAsync().WaitAsync(ProxyProcess.Guard, Token);
        var end = all.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        Assert.True(end > 0, $"No answer came: {all}");
        return (all[..end].Split("\r\n"), all[(end + 4)..]);
    }

    /// <summary>Raw responses: a good one with something odd in one to three of its places.</summary>
    private sealed class ResponseFuzz(int seed)
    {
        private const string Closing = "Connection: close\r\n";

        private static readonly string[] Names =
        [
            "X-Any", "Date", "Server", "Content-Type", "Content-Encoding", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Retry-After", "RateLimit",
            "Location", "ETag", "Last-Modified", "Set-Cookie", "SendProxy-Sent", "Idempotency-Key", "Trailer", "Upgrade", "Allow", "Vary", "WWW-Authenticate", "Content-Range", "Content-MD5",
        ];

        private static readonly string[] Statuses = ["200", "201", "202", "204", "205", "206", "226", "299", "304", "308", "399", "404", "418", "422", "451", "499", "500", "599", "600", "999"];

        private readonly Random _random = new(seed);

        /// <returns>The bytes in Latin-1, and the status that must reach the caller; null where no client could read it.</returns>
        public (string Raw, string? Status) Next()
        {
            var status = Pick(Statuses);
            var head = new StringBuilder($"HTTP/1.1 {status} {Value(12)}\r\n{Closing}");
            var framed = false;
            for (var i = _random.Next(1, 5); i > 0; i--)
            {
                var name = Pick(Names);
                // What frames a body or codes it is kept true: else the odd body would be the vendor's own.
                var value = name switch
                {
                    "Content-Length" => Pick("2", "2, 2", "2,2"),
                    "Content-Encoding" => Pick("identity", "", "zstd"),
                    "Transfer-Encoding" or "Trailer" => "",
                    "Connection" or "Upgrade" => Pick("close", "x-any", "\u00e9"),
                    _ => Value(40),
                };
                framed |= name == "Content-Length";
                if (value.Length > 0 || name == "X-Any")
                {
                    head.Append(name).Append(':').Append(Pick("", " ", "\t")).Append(value).Append("\r\n");
                }
            }

            var length = framed || _random.Next(2) == 0 ? "" : "Content-Length: 2\r\n";
            var raw = $"{head}{length}\r\n{(status is "204" or "304" ? "" : "{}")}";
            return _random.Next(8) == 0 ? (Break(raw), null) : (raw, status == "304" ? null : status);
        }

        private string Break(string raw)
        {
            // Not in the header that says that the connection ends: a proxy may not guess it, and the next request would be lost.
            var line = raw.IndexOf(Closing, StringComparison.Ordinal);
            var at = _random.Next(4) == 0 ? _random.Next(line - 2) : _random.Next(line + Closing.Length, raw.Length);
            return _random.Next(3) switch
            {
                0 => raw[..at],
                1 => raw.Insert(at, ((char)_random.Next(256)).ToString()),
                _ => raw.Remove(at, 1),
            };
        }

        private string Pick(params string[] of) => of[_random.Next(of.Length)];

        private string Value(int most) => string.Create(_random.Next(most), _random, static (span, random) =>
        {
            foreach (ref var c in span)
            {
                // Anything but the characters that end a line or a text in the reader of the .NET client.
                c = random.Next(4) == 0 ? (char)random.Next(256) : (char)random.Next(33, 127);
                c = c is '\r' or '\n' or '\0' ? ' ' : c;
            }
        });
    }
}
