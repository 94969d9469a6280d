using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SendProxy.IntegrationTests.Egress;

// Bodies above maxBody: passed on as they come, in one attempt, and never held whole.
public class StreamedBodyTests
{
    private const string Raw = "routes: [{ name: raw, upstream: sendapi, match: { methods: [POST, PUT], prefix: / }, maxBody: 64KiB, maxStreamedBody: 6MiB }]";
    private const string OneByOne = "retry: { baseDelay: 1ms }";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Body_AboveMaxBody_ArrivesWholeInOneAttemptAndIsNotKept(bool chunked)
    {
        await using var vendor = await Destination.StartAsync(Token);
        await using var app = await EgressApp.StartAsync(vendor.Address, OneByOne, more: $"process: {{ maxBufferedBytes: 1MiB }}\n{Raw}");
        var body = Noise(5 << 20);

        using var answer = await SendAsync(app, new ByteArrayContent(body), chunked);

        var received = Assert.Single(vendor.Requests);
        Assert.Equal((HttpStatusCode.OK, "1", "streamed", "yes"), (
            answer.StatusCode, answer.Header("SendProxy-Attempts"), answer.Header("SendProxy-Body"), answer.Header("SendProxy-Sent")));
        Assert.Equal(chunked ? ("", "chunked") : (body.Length.ToString(CultureInfo.InvariantCulture), ""), (received.Header("Content-Length"), received.Header("Transfer-Encoding")));
        Assert.True(body.AsSpan().SequenceEqual(received.Body));
        var metrics = await app.MetricsAsync();
        Assert.Contains("sendproxy_bodies_streamed_total{route=\"raw\",outcome=\"whole\"} 1", metrics, StringComparison.Ordinal);
        Assert.Contains("sendproxy_buffered_body_bytes 0", metrics, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64 << 10, "")]
    [InlineData((64 << 10) + 1, "streamed")]
    public async Task Body_AtTheBound_IsKeptAndBeyondItStreamed(int bytes, string said)
    {
        await using var vendor = await Destination.StartAsync(Token);
        await using var app = await EgressApp.StartAsync(vendor.Address, OneByOne, more: Raw);

        using var answer = await SendAsync(app, new ByteArrayContent(Noise(bytes)), chunked: false);

        Assert.Equal((HttpStatusCode.OK, said, bytes), (answer.StatusCode, answer.Header("SendProxy-Body"), Assert.Single(vendor.Requests).Body.Length));
    }

    [Fact]
    public async Task Body_AnnouncedAboveTheBound_IsRefusedAndNothingSent()
    {
        await using var vendor = await Destination.StartAsync(Token);
        await using var app = await EgressApp.StartAsync(vendor.Address, OneByOne, more: Raw);

        using var answer = await SendAsync(app, new ByteArrayContent(new byte[(6 << 20) + 1]), chunked: false);

        var problem = await answer.AssertProblemAsync(HttpStatusCode.RequestEntityTooLarge, "body_too_large", "no");
        Assert.Contains("maxStreamedBody (6MiB)", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Empty(vendor.Requests);
    }

    // Its size is known only as it goes: the vendor's request is broken off, never ended as if it were whole.
    [Fact]
    public async Task Body_GrowsAboveTheBound_IsCutOffAndMayHaveBeenSent()
    {
        var seen = new TaskCompletionSource<string>();
        await using var vendor = new WireVendor(async c => seen.SetResult(await c.ReadToEndAsync()));
        await using var app = await EgressApp.StartAsync(vendor.Address, OneByOne, more: Raw.Replace("6MiB", "128KiB", StringComparison.Ordinal));

        using var answer = await SendAsync(app, new ByteArrayContent(Noise(1 << 20)), chunked: true);

        await answer.AssertProblemAsync(HttpStatusCode.RequestEntityTooLarge, "body_too_large", "maybe");
        Assert.DoesNotContain("\r\n0\r\n\r\n", await seen.Task.WaitAsync(ProxyProcess.Guard, Token), StringComparison.Ordinal);
        Assert.Contains("outcome=\"too_large\"} 1", await app.MetricsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Vendor_Fails_IsNotAskedAgain()
    {
        await using var vendor = await Destination.StartAsync(Token, answer: (_, context) =>
        {
            context.Response.StatusCode = 503;
            context.Response.Headers.RetryAfter = "0";
            return Task.CompletedTask;
        });
        await using var app = await EgressApp.StartAsync(vendor.Address, OneByOne, more: Raw);

        using var answer = await SendAsync(app, new ByteArrayContent(Noise(1 << 20)), chunked: true);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (answer.StatusCode, answer.Header("SendProxy-Attempts")));
        Assert.Single(vendor.Requests);
    }

    [Fact]
    public async Task Vendor_BreaksInTheMiddle_MayHaveBeenSentAndIsNotAskedAgain()
    {
        await using var vendor = new WireVendor(async c =>
        {
            await c.ReadAsync(t => t.Length > 100_000);
            c.Reset();
        });
        await using var app = await EgressApp.StartAsync(vendor.Address, OneByOne, more: Raw);

        using var answer = await SendAsync(app, new ByteArrayContent(Noise(5 << 20)), chunked: false);

        await answer.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "upstream_broken", "maybe");
        Assert.Equal(1, vendor.Connections);
    }

    [Fact]
    public async Task Vendor_CannotBeReached_NothingWasSent()
    {
        await using var app = await EgressApp.StartAsync(new Uri($"http://127.0.0.1:{Destination.ReservePort()}"), OneByOne, more: Raw);

        using var answer = await SendAsync(app, new ByteArrayContent(Noise(1 << 20)), chunked: false);

        await answer.AssertProblemAsync(HttpStatusCode.BadGateway, "upstream_unreachable", "no");
        Assert.Contains("outcome=\"unsent\"} 1", await app.MetricsAsync(), StringComparison.Ordinal);
    }

    // It has the request's whole time, not one attempt's; what was begun and not answered may have been done.
    [Fact]
    public async Task Vendor_SilentBeyondTheRequestsTime_MayHaveBeenSent()
    {
        await using var vendor = new WireVendor(async c => await c.ReadToEndAsync());
        await using var app = await EgressApp.StartAsync(vendor.Address, "timeouts: { attempt: 10ms, total: 300ms }", more: Raw);

        using var answer = await SendAsync(app, new ByteArrayContent(Noise(1 << 20)), chunked: false);

        var problem = await answer.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "upstream_timed_out", "maybe");
        Assert.Contains("timeouts.total (300ms)", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Caller_LeavesInTheMiddle_TheVendorsRequestIsBrokenOff()
    {
        var (begun, ended) = (new TaskCompletionSource(), new TaskCompletionSource<string>());
        await using var vendor = new WireVendor(async c =>
        {
            await c.ReadAsync(t => t.Length > 100_000);
            begun.SetResult();
            ended.SetResult(await c.ReadToEndAsync());
        });
        await using var app = await EgressApp.StartAsync(vendor.Address, OneByOne, more: Raw);
        var caller = new TcpClient();
        await caller.ConnectAsync(app.Client.BaseAddress!.Host, app.Client.BaseAddress.Port, Token);
        await caller.GetStream().WriteAsync(Encoding.Latin1.GetBytes($"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n{new string('a', 200_000)}"), Token);
        await begun.Task.WaitAsync(ProxyProcess.Guard, Token);

        caller.Dispose();

        Assert.DoesNotContain(new string('a', 200_001), await ended.Task.WaitAsync(ProxyProcess.Guard, Token), StringComparison.Ordinal);
        await app.Proxy.WaitForLineAsync(l => l.Contains("\"code\":\"caller_left\",\"sent\":\"maybe\"", StringComparison.Ordinal), Token);
        Assert.Contains("outcome=\"incomplete\"} 1", await app.MetricsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_OfTheCaller_IsLeftToTheVendor()
    {
        await using var vendor = await Destination.StartAsync(Token);
        await using var app = await EgressApp.StartAsync(vendor.Address, OneByOne, more: $"journal: {{ path: journal.db, allowEphemeral: true }}\n{Raw}");

        for (var i = 0; i < 2; i++)
        {
            using var answer = await SendAsync(app, new ByteArrayContent(Noise(1 << 20)), chunked: false, "upload-1");
            Assert.Equal(("vendor", "upload-1"), (answer.Header("SendProxy-Idempotency"), answer.Header("Idempotency-Key")));
        }

        Assert.Equal(["upload-1", "upload-1"], vendor.Requests.Select(r => r.Header("Idempotency-Key")));
    }

    [Fact]
    public async Task Key_OfTheCallerBeforeAVendorThatDoesNotDeduplicate_IsRefused()
    {
        await using var vendor = await Destination.StartAsync(Token);
        await using var app = await EgressApp.StartAsync(vendor.Address, "idempotency: { carrier: none }", more: Raw);

        using var answer = await SendAsync(app, new ByteArrayContent(Noise(1 << 20)), chunked: true, "upload-1");

        await answer.AssertProblemAsync(HttpStatusCode.RequestEntityTooLarge, "body_too_large", "no");
        Assert.Empty(vendor.Requests);
    }

    [Theory]
    [InlineData("recipient: /to, recipients: { perDay: 5 }", "", "recipients needs it whole")]
    [InlineData("idempotency: { derive: content }", "", "idempotency.derive needs it whole")]
    [InlineData("lane: bulk", "idempotency: { carrier: body, pointer: /key }", "idempotency.carrier: body needs it whole")]
    public async Task Body_ThatIsRead_IsNotStreamed(string route, string upstream, string said)
    {
        await using var vendor = await Destination.StartAsync(Token);
        await using var app = await EgressApp.StartAsync(vendor.Address, upstream, more: $"routes: [{{ name: raw, upstream: sendapi, match: {{ prefix: / }}, maxBody: 64KiB, {route} }}]");

        using var answer = await SendAsync(app, new ByteArrayContent(Noise(1 << 20)), chunked: true);

        var problem = await answer.AssertProblemAsync(HttpStatusCode.RequestEntityTooLarge, "body_too_large", "no");
        Assert.Contains(said, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Empty(vendor.Requests);
    }

    [Theory]
    [InlineData(EgressStage.Key)]
    [InlineData("sk%5flive%5Fstage0123456789abc")]
    public async Task Secret_InAStreamedBody_NeverLeaves(string key)
    {
        var seen = new TaskCompletionSource<string>();
        await using var vendor = new WireVendor(async c => seen.SetResult(await c.ReadToEndAsync()));
        await using var app = await EgressApp.StartAsync(vendor.Address, OneByOne, more: Raw);
        var body = $"{new string('a', 300_000)}{key}{new string('b', 300_000)}";

        using var answer = await SendAsync(app, new StringContent(body), chunked: false);

        await answer.AssertProblemAsync(HttpStatusCode.BadRequest, "secret_in_request", "maybe");
        var sent = (await seen.Task.WaitAsync(ProxyProcess.Guard, Token)).Split("\r\n\r\n", 2)[1];
        Assert.Equal((true, "", false), (sent.Length > 100_000, sent.Trim('a'), sent.Contains('b', StringComparison.Ordinal)));
    }

    private static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static async Task<HttpResponseMessage> SendAsync(EgressApp app, HttpContent content, bool chunked, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/upload") { Content = content };
        request.Headers.TransferEncodingChunked = chunked;
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return await app.Client.SendAsync(request, Token);
    }
}
