using System.Net;
using System.Text.Json;

namespace SendProxy.IntegrationTests.Egress;

// What HTTP clients do by themselves: SocketsHttpHandler repeats requests without content on a dead connection. Counted on a bare socket.
public class HiddenRepeatTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("POST", "")]
    [InlineData("POST", "{}")]
    [InlineData("GET", null)]
    [InlineData("DELETE", null)]
    public async Task ReusedConnection_ClosedAfterTheRequest_IsNotRepeatedBehindTheTable(string method, string? body)
    {
        await using var vendor = new RawVendor(n => n == 2 ? null : RawVendor.Ok);
        await using var stage = await Stage.SetAsync(vendor, "retry: { attempts: 1 }, idempotency: { carrier: none }");
        using var first = await stage.SendAsync(method, body);

        using var second = await stage.SendAsync(method, body);

        Assert.Equal((HttpStatusCode.OK, 2), (first.StatusCode, vendor.Heads.Count));
        await second.AssertProblemAsync(method == "POST" ? HttpStatusCode.UnprocessableEntity : HttpStatusCode.BadGateway, "upstream_broken", "maybe");
    }

    [Fact]
    public async Task ReusedConnection_ClosedAfterTheRequest_KeyedPostIsRepeatedUnderTheSameKey()
    {
        await using var vendor = new RawVendor(n => n == 2 ? null : RawVendor.Ok);
        await using var stage = await Stage.SetAsync(vendor, "retry: { baseDelay: 1ms }");
        using var first = await stage.SendAsync("POST", "{}");

        using var second = await stage.SendAsync("POST", "{}");

        Assert.Equal((HttpStatusCode.OK, "2", 3), (second.StatusCode, second.Header("SendProxy-Attempts"), vendor.Heads.Count));
        Assert.Single(vendor.Heads.Skip(1).Select(h => h.Split("\r\n").Single(l => l.StartsWith("Idempotency-Key:", StringComparison.Ordinal))).Distinct());
    }

    [Fact]
    public async Task Attempts_EachHasContentAndTheCallersBytes()
    {
        await using var vendor = new RawVendor(_ => RawVendor.Ok);
        await using var stage = await Stage.SetAsync(vendor, "");

        using var answer = await stage.SendAsync("POST", "");

        Assert.Contains("Content-Length: 0", Assert.Single(vendor.Heads), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answer_BrokenOffWithoutKey_SaysThatItWasSent()
    {
        await using var vendor = new RawVendor(n => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{");
        await using var stage = await Stage.SetAsync(vendor, "idempotency: { carrier: none }, timeouts: { bodyIdle: 100ms }");

        using var answer = await stage.SendAsync("POST", "{}");

        await answer.AssertProblemAsync(HttpStatusCode.UnprocessableEntity, "answer_incomplete", "yes");
        Assert.Single(vendor.Heads);
    }

    [Fact]
    public async Task Answer_Redirect_IsPassedOnAndNotFollowed()
    {
        await using var other = new RawVendor(_ => RawVendor.Ok);
        await using var vendor = new RawVendor(_ => $"HTTP/1.1 302 Found\r\nLocation: {other.Address}\r\nContent-Length: 0\r\n\r\n");
        await using var stage = await Stage.SetAsync(vendor, "");

        using var answer = await stage.SendAsync("POST", "{}");

        Assert.Equal((HttpStatusCode.Found, 0), (answer.StatusCode, other.Heads.Count));
    }

    [Fact]
    public async Task CarrierBody_Key_IsWrittenIntoTheBody()
    {
        await using var echo = await Destination.StartAsync(Token);
        await using var stage = await Stage.SetAsync(echo.Address, "idempotency: { carrier: body, pointer: /headers/idempotencyKey }");

        using var answer = await stage.SendAsync("POST", "{ \"to\": \"x\" }", ("Idempotency-Key", "k-1"));

        var received = JsonDocument.Parse(Assert.Single(echo.Requests).Body).RootElement;
        Assert.Equal(("k-1", "x"), (received.GetProperty("headers").GetProperty("idempotencyKey").GetString(), received.GetProperty("to").GetString()));
    }

    private sealed class Stage(ProxyFolder folder, ProxyProcess proxy) : IAsyncDisposable
    {
        private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = proxy.Address("egress") };

        public static Task<Stage> SetAsync(RawVendor vendor, string upstream) => SetAsync(vendor.Address, upstream);

        public static async Task<Stage> SetAsync(Uri vendor, string upstream)
        {
            var folder = new ProxyFolder().Write("key", EgressStage.Key).Configure(EgressStage.Config(
                vendor, upstream, "routes: [{ name: raw, upstream: sendapi, match: { methods: [GET, POST, DELETE], prefix: / } }]"));
            return new Stage(folder, await ProxyProcess.StartAsync(folder, Token));
        }

        public async Task<HttpResponseMessage> SendAsync(string method, string? body, params (string Name, string Value)[] headers)
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), "/v1/x");
            request.Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json");
            foreach (var (name, value) in headers)
            {
                request.Headers.Add(name, value);
            }

            return await _client.SendAsync(request, Token);
        }

        public async ValueTask DisposeAsync()
        {
            _client.Dispose();
            await proxy.DisposeAsync();
            folder.Dispose();
        }
    }
}
