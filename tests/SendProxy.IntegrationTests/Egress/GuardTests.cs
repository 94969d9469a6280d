using System.Net;
using System.Net.Sockets;
using System.Text;

namespace SendProxy.IntegrationTests.Egress;

public class GuardTests
{
    [Theory]
    [InlineData("Host: evil.example", "403", "host_not_allowed")]
    [InlineData("Host: localhost.evil.example:4750", "403", "host_not_allowed")]
    [InlineData("Host: localhost\r\nOrigin: http://evil.example", "403", "browser_refused")]
    [InlineData("Host: localhost\r\nSec-Fetch-Site: cross-site", "403", "browser_refused")]
    [InlineData("Host: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade", "501", "protocol_unsupported")]
    [InlineData("Host: localhost\r\nContent-Type: application/grpc", "501", "protocol_unsupported")]
    [InlineData("Host: localhost\r\nIdempotency-Key: a\r\nIdempotency-Key: b", "400", "idempotency_key_invalid")]
    public async Task Request_Headers_AreJudgedBeforeTheVendorSeesAnything(string headers, string status, string code)
    {
        await using var stage = await EgressStage.SetAsync();

        var answer = await RawAsync(stage, $"POST /v1/sms/send HTTP/1.1\r\n{headers}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");

        AssertRefused(answer, status, code);
        Assert.Equal(0, stage.Vendor.Requests.Arrived);
    }

    [Theory]
    [InlineData("/v1/sms/../sms/send", "400", "request_malformed")]
    [InlineData("/v1/sms/%2e%2e/admin", "400", "request_malformed")]
    [InlineData("/v1//sms/send", "400", "request_malformed")]
    [InlineData("/v1/sms%2fsend", "400", "request_malformed")]
    [InlineData("/v1/sms/send;a=b", "400", "request_malformed")]
    [InlineData("http://localhost/v1/sms/send", "400", "request_malformed")]
    [InlineData("/v1/sms/%73end", "400", "request_malformed")]
    [InlineData("/metrics", "404", "route_not_found")]
    [InlineData("/V1/sms/send", "404", "route_not_found")]
    [InlineData("/v1/messages/x", "405", "method_not_allowed")]
    public async Task Request_Target_IsTakenInOneFormOnly(string target, string status, string code)
    {
        await using var stage = await EgressStage.SetAsync();

        var answer = await RawAsync(stage, $"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");

        AssertRefused(answer, status, code);
        Assert.Equal(0, stage.Vendor.Requests.Arrived);
    }

    [Fact]
    public async Task Request_BothLengths_IsRefused()
    {
        await using var stage = await EgressStage.SetAsync();

        var answer = await RawAsync(
            stage, "POST /v1/sms/send HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n");

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Equal(0, stage.Vendor.Requests.Arrived);
    }

    [Fact]
    public async Task Listeners_OfOthers_DoNotReachTheRoutes()
    {
        await using var stage = await EgressStage.SetAsync();
        using var content = new StringContent(EgressStage.Sms);

        using var answer = await new HttpClient().PostAsync(
            new Uri(stage.Proxy.Address("metrics"), "/v1/sms/send"), content, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Equal(0, stage.Vendor.Requests.Arrived);
    }

    [Fact]
    public async Task RequireHeader_Missing_IsRefused()
    {
        await using var stage = await EgressStage.SetAsync(more: "guard: { requireHeader: 'X-SendProxy: true' }");

        using var refused = await stage.SendAsync();
        using var answer = await stage.SendAsync(headers: ("X-SendProxy", "true"));

        await refused.AssertProblemAsync(HttpStatusCode.Forbidden, "caller_refused", "no");
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    private static void AssertRefused(string answer, string status, string code)
    {
        Assert.StartsWith($"HTTP/1.1 {status} ", answer, StringComparison.Ordinal);
        Assert.Contains($"\r\nSendProxy-Error: {code}\r\n", answer, StringComparison.Ordinal);
    }

    private static async Task<string> RawAsync(EgressStage stage, string request)
    {
        var address = stage.Proxy.Address("egress");
        using var socket = new TcpClient();
        await socket.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
        var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), TestContext.Current.CancellationToken);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        return await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
