using System.Net;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Issues;

// Node's fetch sends a header that was taken for a browser's; and who is no page although its request looks so can say it.
public class BrowsersTests
{
    private static readonly (string Name, string Value) Origin = ("Origin", "http://localhost:3000");

    [Fact]
    public async Task Send_ByNodesFetch_IsTaken()
    {
        await using var stage = await EgressStage.SetAsync();

        using var answer = await stage.SendAsync(headers: ("sec-fetch-mode", "cors"));

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    [Fact]
    public async Task Send_WithCallerToken_IsTakenFromABrowserToo()
    {
        await using var stage = await EgressStage.SetAsync(more: "guard: { callerToken: { file: token } }", prepare: f => f.Write("token", "a-token-of-callers\n"));

        using var page = await stage.SendAsync(headers: Origin);
        using var wrong = await stage.SendAsync(headers: [Origin, ("SendProxy-Token", "another")]);
        using var program = await stage.SendAsync(headers: [Origin, ("SendProxy-Token", "a-token-of-callers")]);

        var problem = await page.AssertProblemAsync(HttpStatusCode.Forbidden, "browser_refused", "no");
        Assert.Contains("Origin", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await wrong.AssertProblemAsync(HttpStatusCode.Forbidden, "browser_refused", "no");
        Assert.Equal(HttpStatusCode.Accepted, program.StatusCode);
        Assert.Equal(1, stage.Vendor.Requests.Arrived);
    }

    [Fact]
    public async Task Send_BrowsersAllowed_IsTakenButNotUnderAnotherName()
    {
        await using var stage = await EgressStage.SetAsync(more: "guard: { browsers: allow }");

        using var page = await stage.SendAsync(headers: Origin);
        using var rebound = await stage.SendAsync(headers: [Origin, ("Host", "rebound.example")]);

        Assert.Equal(HttpStatusCode.Accepted, page.StatusCode);
        await rebound.AssertProblemAsync(HttpStatusCode.Forbidden, "host_not_allowed", "no");
    }

    [Fact]
    public async Task Refusals_OfTheGuard_SayWhatToWrite()
    {
        await using var stage = await EgressStage.SetAsync(more: "guard: { requireHeader: 'X-SendProxy: true' }");

        using var host = await stage.SendAsync(headers: ("Host", "sendproxy:4750"));
        using var header = await stage.SendAsync();
        using var slash = await stage.RequestAsync(HttpMethod.Post, "/v1/sms/send/", EgressStage.Sms, ("X-SendProxy", "true"));

        Assert.Contains("guard: { hosts: [\"localhost\", \"127.0.0.1\", \"[::1]\", \"sendproxy\"] }", await DetailAsync(host), StringComparison.Ordinal);
        Assert.Contains("\"X-SendProxy: true\"", await DetailAsync(header), StringComparison.Ordinal);
        Assert.Contains("POST /v1/sms/send (route sms)", await DetailAsync(slash), StringComparison.Ordinal);
    }

    private static async Task<string> DetailAsync(HttpResponseMessage answer) =>
        System.Text.Json.JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement.GetProperty("detail").GetString()!;
}
