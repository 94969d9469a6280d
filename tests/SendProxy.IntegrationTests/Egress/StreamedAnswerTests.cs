using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SendProxy.IntegrationTests.Egress;

// Answers that are passed on as they come: at once, never asked for again, and not waited for without end.
public class StreamedAnswerTests
{
    private const string Get = "routes: [{ name: raw, upstream: sendapi, match: { methods: [GET, HEAD, DELETE], prefix: / } }]";
    private const string Events = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // Each step waits for the one before: nothing may be held back on the way.
    [Fact]
    public async Task Events_HeadAndEach_ArriveAsTheyCome()
    {
        var next = new SemaphoreSlim(0);
        await using var vendor = new WireVendor(async c =>
        {
            await c.ReadHeadAsync();
            await c.WriteAsync(Events);
            foreach (var part in (string[])["9\r\ndata: 1\n\n\r\n", "9\r\ndata: 2\n\n\r\n", "0\r\n\r\n"])
            {
                await c.WaitAsync(next.WaitAsync(Token));
                await c.WriteAsync(part);
            }

            await c.ReadToEndAsync();
        });
        await using var app = await EgressApp.StartAsync(vendor.Address, more: Get);
        using var answer = await GetAsync(app);
        Assert.Equal((HttpStatusCode.OK, "streamed", "1"), (answer.StatusCode, answer.Header("SendProxy-Answer"), answer.Header("SendProxy-Attempts")));
        await using var body = await answer.Content.ReadAsStreamAsync(Token);

        foreach (var expected in (string[])["data: 1\n\n", "data: 2\n\n", ""])
        {
            next.Release();
            var buffer = new byte[100];
            Assert.Equal(expected, Encoding.ASCII.GetString(buffer, 0, await body.ReadAsync(buffer, Token).AsTask().WaitAsync(ProxyProcess.Guard, Token)));
        }
    }

    [Fact]
    public async Task Download_FirstBytes_ArriveBeforeTheLast()
    {
        var rest = new TaskCompletionSource();
        await using var vendor = new WireVendor(async c =>
        {
            await c.ReadHeadAsync();
            await c.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n{new string('a', 100_000)}");
            await c.WaitAsync(rest.Task);
            await c.WriteAsync(new string('b', 100_000));
            await c.ReadToEndAsync();
        });
        await using var app = await EgressApp.StartAsync(vendor.Address, more: Get);
        using var answer = await GetAsync(app);
        await using var body = await answer.Content.ReadAsStreamAsync(Token);
        var first = new byte[100_000];
        await body.ReadExactlyAsync(first, Token).AsTask().WaitAsync(ProxyProcess.Guard, Token);

        rest.SetResult();

        using var last = new StreamReader(body);
        Assert.Equal((200_000L, new string('b', 100_000)), (answer.Content.Headers.ContentLength, await last.ReadToEndAsync(Token)));
    }

    [Theory]
    [InlineData("silent", "timed_out")]
    [InlineData("broken", "broke")]
    public async Task Answer_BeginsAndStops_IsBrokenOffAndNotAskedForAgain(string end, string reason)
    {
        // A reset may overtake a head that was not read yet: the vendor breaks off once the caller has it.
        var begun = new TaskCompletionSource();
        await using var vendor = new WireVendor(async c =>
        {
            await c.ReadHeadAsync();
            await c.WriteAsync($"{Events}9\r\ndata: 1\n\n\r\n");
            if (end == "silent")
            {
                await c.ReadToEndAsync();
            }

            await begun.Task;
        });
        await using var app = await EgressApp.StartAsync(
            vendor.Address, $"timeouts: {{ bodyIdle: {(end == "silent" ? "100ms" : "30s")} }}, retry: {{ baseDelay: 1ms }}", more: Get);

        using var answer = await GetAsync(app);
        begun.SetResult();

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await Assert.ThrowsAnyAsync<Exception>(() => answer.Content.ReadAsStringAsync(Token).WaitAsync(ProxyProcess.Guard, Token));
        Assert.Equal(1, vendor.Connections);
        await app.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"request\"", StringComparison.Ordinal) && l.Contains("\"code\":\"answer_incomplete\"", StringComparison.Ordinal), Token);
        Assert.Contains($"sendproxy_answers_streamed_total{{upstream=\"sendapi\",outcome=\"{reason}\"}} 1", await app.MetricsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Caller_LeavesInTheMiddle_TheVendorsConnectionIsClosed()
    {
        var closed = new TaskCompletionSource();
        await using var vendor = new WireVendor(async c =>
        {
            await c.ReadHeadAsync();
            await c.WriteAsync($"{Events}9\r\ndata: 1\n\n\r\n");
            await c.ReadToEndAsync();
            closed.SetResult();
        });
        await using var app = await EgressApp.StartAsync(vendor.Address, more: Get);
        var answer = await GetAsync(app);

        answer.Dispose();

        await closed.Task.WaitAsync(ProxyProcess.Guard, Token);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(100_000)]
    public async Task Trailers_OfAnAnswer_ArePassedOn(int bytes)
    {
        await using var vendor = new WireVendor(async c =>
        {
            await c.ReadHeadAsync();
            await c.WriteAsync($"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n\r\n{bytes:x}\r\n{new string('a', bytes)}\r\n0\r\nX-Checksum: 42 {EgressStage.Key}\r\nSendProxy-Error: forged\r\n\r\n");
            await c.ReadToEndAsync();
        });
        await using var app = await EgressApp.StartAsync(vendor.Address, more: Get);

        using var answer = await GetAsync(app);
        var body = await answer.Content.ReadAsStringAsync(Token);

        Assert.Equal((HttpStatusCode.OK, bytes), (answer.StatusCode, body.Length));
        var trailer = Assert.Single(answer.TrailingHeaders);
        Assert.Equal(("X-Checksum", $"42 {new string('*', EgressStage.Key.Length)}"), (trailer.Key, trailer.Value.Single()));
    }

    // A HEAD's Content-Length is that of the body a GET would have; the next request on the connection must not wait for it.
    [Theory]
    [InlineData("HEAD", "200 OK", "Content-Length: 123456\r\n", "123456")]
    [InlineData("HEAD", "200 OK", "Transfer-Encoding: chunked\r\n", "")]
    [InlineData("DELETE", "204 No Content", "", "")]
    [InlineData("GET", "304 Not Modified", "ETag: \"1\"\r\n", "")]
    public async Task Answer_WithoutBody_KeepsItsLengthAndTheConnectionGoesOn(string method, string status, string headers, string length)
    {
        await using var vendor = new WireVendor(async c =>
        {
            for (var i = 1; await c.ReadAsync(t => t.Split("\r\n\r\n").Length > i); i++)
            {
                await c.WriteAsync($"HTTP/1.1 {status}\r\n{headers}\r\n");
            }
        });
        await using var app = await EgressApp.StartAsync(vendor.Address, more: Get);
        using var caller = new TcpClient();
        await caller.ConnectAsync(app.Client.BaseAddress!.Host, app.Client.BaseAddress.Port, Token);
        var connection = new WireConnection(caller.GetStream(), caller.Client, Token);

        for (var i = 1; i <= 2; i++)
        {
            await connection.WriteAsync($"{method} /x HTTP/1.1\r\nHost: localhost\r\n\r\n");
            Assert.True(await connection.ReadAsync(t => t.Split("\r\n\r\n").Length > i).WaitAsync(ProxyProcess.Guard, Token));
        }

        var heads = connection.Text.Split("\r\n\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((2, 1), (heads.Length, vendor.Connections));
        Assert.All(heads, h =>
        {
            Assert.StartsWith($"HTTP/1.1 {status}", h, StringComparison.Ordinal);
            Assert.Equal(length, h.Split("\r\n").Where(l => l.StartsWith("Content-Length: ", StringComparison.Ordinal)).Select(l => l[16..]).SingleOrDefault(""));
        });
    }

    private static Task<HttpResponseMessage> GetAsync(EgressApp app) =>
        app.Client.GetAsync(new Uri("/x", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Token).WaitAsync(ProxyProcess.Guard, Token);
}
