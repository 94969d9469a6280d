using System.Net;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Issues;

// What an answer's status says stands, also where its body breaks off; and an answer by which nothing was done says so.
public class StatusDecidesTests
{
    private const string Unkeyed = "idempotency: { carrier: none }, timeouts: { bodyIdle: 100ms }, retry: { attempts: 2, baseDelay: 1ms, maxDelay: 10ms }";
    private const string Keyed = "timeouts: { bodyIdle: 100ms }, retry: { attempts: 2, baseDelay: 1ms, maxDelay: 10ms }";

    [Theory]
    [InlineData("200 OK", "yes")]
    [InlineData("202 Accepted", "yes")]
    [InlineData("429 X", "maybe")]
    [InlineData("500 X", "maybe")]
    [InlineData("503 X", "maybe")]
    [InlineData("529 X", "maybe")]
    [InlineData("409 X", "maybe")]
    public async Task BodyBreaksOff_VendorDoesNotDeduplicate_StatusSaysWhetherItActedAndNothingIsRepeated(string status, string sent)
    {
        await using var vendor = new RawVendor(_ => Broken(status));
        await using var app = await EgressApp.StartAsync(vendor.Address, Unkeyed);

        using var answer = await app.SendAsync();

        Assert.Equal(("answer_incomplete", sent), (answer.Header("SendProxy-Error"), answer.Header("SendProxy-Sent")));
        Assert.Single(vendor.Heads);
    }

    [Theory]
    [InlineData("400 X")]
    [InlineData("404 X")]
    [InlineData("413 X")]
    [InlineData("422 X")]
    public async Task BodyBreaksOff_VendorRefused_NothingWasDoneAndItIsAskedAgain(string status)
    {
        await using var vendor = new RawVendor(_ => Broken(status));
        await using var app = await EgressApp.StartAsync(vendor.Address, Unkeyed);

        using var answer = await app.SendAsync();

        Assert.Equal(("answer_incomplete", "no"), (answer.Header("SendProxy-Error"), answer.Header("SendProxy-Sent")));
        Assert.Equal(2, vendor.Heads.Count);
    }

    [Fact]
    public async Task BodyBreaksOff_CredentialRefused_IsToldAsThat()
    {
        await using var vendor = new RawVendor(_ => Broken("401 X"));
        await using var app = await EgressApp.StartAsync(vendor.Address, Unkeyed);

        using var answer = await app.SendAsync();

        await answer.AssertProblemAsync(HttpStatusCode.BadGateway, "credential_rejected", "no");
    }

    [Theory]
    [InlineData("200 OK", "yes")]
    [InlineData("503 X", "maybe")]
    public async Task BodyBreaksOff_VendorDeduplicates_IsRepeatedUnderTheSameKey(string status, string sent)
    {
        await using var vendor = new RawVendor(_ => Broken(status));
        await using var app = await EgressApp.StartAsync(vendor.Address, Keyed);

        using var answer = await app.SendAsync();

        Assert.Equal(("answer_incomplete", sent), (answer.Header("SendProxy-Error"), answer.Header("SendProxy-Sent")));
        Assert.Equal(2, vendor.Heads.Count);
    }

    [Theory]
    [InlineData("400 X", "", "no")]
    [InlineData("404 X", "", "no")]
    [InlineData("413 X", "", "no")]
    [InlineData("422 X", "", "no")]
    [InlineData("402 X", "", "no")]
    [InlineData("418 X", "", "no")]
    [InlineData("409 X", "", "maybe")]
    [InlineData("303 X", "Location: /v1/done\r\n", "maybe")]
    [InlineData("501 X", "", "no")]
    [InlineData("507 X", "", "maybe")]
    [InlineData("520 X", "", "maybe")]
    [InlineData("529 X", "", "maybe")]
    [InlineData("200 X", "", "yes")]
    public async Task FinalAnswer_SaysWhetherAnythingMayHaveBeenDone(string status, string head, string sent)
    {
        await using var vendor = new RawVendor(_ => $"HTTP/1.1 {status}\r\n{head}Content-Length: 2\r\n\r\n{{}}");
        await using var app = await EgressApp.StartAsync(vendor.Address, Unkeyed);

        using var answer = await app.SendAsync();

        Assert.Equal((status[..3], sent), (((int)answer.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture), answer.Header("SendProxy-Sent")));
        Assert.Single(vendor.Heads);
    }

    [Fact]
    public async Task ServiceUnavailable_WithRetryAfter_IsNoProofThatNothingWasDone()
    {
        await using var vendor = new RawVendor(_ => "HTTP/1.1 503 X\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
        await using var app = await EgressApp.StartAsync(vendor.Address, "retry: { attempts: 1 }");

        using var answer = await app.SendAsync();

        Assert.Equal((503, "maybe"), ((int)answer.StatusCode, answer.Header("SendProxy-Sent")));
    }

    private static string Broken(string status) => $"HTTP/1.1 {status}\r\nContent-Length: 500\r\nConnection: close\r\n\r\n{{";
}
