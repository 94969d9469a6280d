using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Issues;

// timeouts.total is the caller's time: it also ends the wait for a body that is read before the answer goes out.
public class TotalTimeoutTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Content-Length: 100")]
    [InlineData("Transfer-Encoding: chunked")]
    public async Task Response_WhoseBufferedBodyIsLate_EndsWithTheTotal(string framing)
    {
        // Longer than any test waits: without the bound of the total the answer would not come.
        await using var vendor = new WireVendor(async c =>
        {
            await c.ReadHeadAsync();
            await c.WriteAsync($"HTTP/1.1 202 Accepted\r\n{framing}\r\n\r\n");
            await c.ReadToEndAsync();
        });
        await using var app = await EgressApp.StartAsync(vendor.Address, "timeouts: { attempt: 500ms, total: 1s, bodyIdle: 1h }, retry: { attempts: 1 }");

        using var answer = await app.SendAsync().WaitAsync(ProxyProcess.Guard, Token);

        Assert.Equal("answer_incomplete", answer.Header("SendProxy-Error"));
    }
}
