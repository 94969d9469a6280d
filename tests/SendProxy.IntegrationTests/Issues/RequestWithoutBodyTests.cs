using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Issues;

// What goes out for a request without a body, byte by byte; and that no client below the proxy repeats anything by itself.
public class RequestWithoutBodyTests
{
    private const string Routes = "routes: [{ name: raw, upstream: sendapi, match: { methods: [GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS], prefix: / } }]";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // RFC 9110, 8.6: a length of 0 belongs to methods that have a body by their meaning, and to no others.
    [Theory]
    [InlineData("GET", "", false)]
    [InlineData("HEAD", "", false)]
    [InlineData("DELETE", "", false)]
    [InlineData("OPTIONS", "", false)]
    [InlineData("GET", "Content-Type: application/json\r\n", false)]
    [InlineData("DELETE", "Content-Length: 0\r\n", false)]
    [InlineData("POST", "Content-Length: 0\r\n", true)]
    [InlineData("PUT", "Content-Length: 0\r\n", true)]
    [InlineData("PATCH", "Content-Length: 0\r\n", true)]
    public async Task Request_WithoutBody_HasALengthOnlyWhereTheMethodHasABody(string method, string headers, bool hasLength)
    {
        await using var vendor = new RawVendor(_ => RawVendor.Ok[..^2].Replace("Content-Length: 2", "Content-Length: 0", StringComparison.Ordinal));
        await using var app = await EgressApp.StartAsync(vendor.Address, more: Routes);

        await RawCallAsync(app, $"{method} /v1/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");

        var head = Assert.Single(vendor.Heads);
        Assert.Equal(hasLength, head.Contains("Content-Length: 0", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain("Transfer-Encoding", head, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(headers.StartsWith("Content-Type", StringComparison.Ordinal), head.Contains("Content-Type: application/json", StringComparison.OrdinalIgnoreCase));
    }

    // The vendor closes a kept connection as the next request arrives on it: a client by itself would send that again unseen.
    [Theory]
    [InlineData("POST", "{}")]
    [InlineData("POST", "")]
    [InlineData("GET", "")]
    [InlineData("DELETE", "")]
    public async Task Request_OnAConnectionThatEnds_GoesOutOncePerAttempt(string method, string body)
    {
        await using var vendor = new RawVendor(n => n == 1 ? RawVendor.Ok : null);
        await using var app = await EgressApp.StartAsync(vendor.Address, "retry: { attempts: 1 }", more: Routes);
        var request = $"{method} /v1/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}";
        await RawCallAsync(app, request);

        var answer = await RawCallAsync(app, request);

        Assert.Contains("SendProxy-Attempts: 1\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("SendProxy-Error: upstream_broken\r\n", answer, StringComparison.Ordinal);
        Assert.Equal(2, vendor.Heads.Count);
    }

    private static async Task<string> RawCallAsync(EgressApp app, string request)
    {
        using var caller = new System.Net.Sockets.TcpClient();
        await caller.ConnectAsync(app.Client.BaseAddress!.Host, app.Client.BaseAddress.Port, Token);
        var connection = new WireConnection(caller.GetStream(), caller.Client, Token);
        await connection.WriteAsync(request);
        return await connection.ReadToEndAsync().WaitAsync(ProxyProcess.Guard, Token);
    }
}
