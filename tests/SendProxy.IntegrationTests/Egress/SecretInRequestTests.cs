using System.Net;

namespace SendProxy.IntegrationTests.Egress;

public class SecretInRequestTests
{
    private const string Other = "sk_live_0123456789abcdef";

    [Fact]
    public async Task Send_LiveKeyInAnyPlainOrOnceEscapedPlace_IsRefused()
    {
        await using var stage = await EgressStage.SetAsync();
        (string Path, string Body, string Header)[] requests =
        [
            ($"/v1/sms/send?k={Other}", EgressStage.Sms, ""),
            ($"/v1/sms/send?k={Other.Replace("_", "%5F", StringComparison.Ordinal)}", EgressStage.Sms, ""),
            ("/v1/sms/send", EgressStage.Sms, Other),
            ("/v1/sms/send", EgressStage.Sms.Replace("Hello", $"key {EgressStage.Key}", StringComparison.Ordinal), ""),
            ("/v1/sms/send", EgressStage.Sms.Replace("Hello", $"key \\u0073{EgressStage.Key[1..]}", StringComparison.Ordinal), ""),
            ("/v1/sms/send", EgressStage.Sms.Replace("Hello", $"text_{EgressStage.Key}_text", StringComparison.Ordinal), ""),
            ("/v1/sms/send", EgressStage.Sms.Replace("Hello", Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes(EgressStage.Key)), StringComparison.Ordinal), ""),
            ("/v1/sms/send", EgressStage.Sms.Replace("Hello", $"https://a.example/?k={EgressStage.Key.Replace("_", "%5f", StringComparison.Ordinal)}", StringComparison.Ordinal), ""),
        ];

        foreach (var (path, body, header) in requests)
        {
            using var answer = await stage.RequestAsync(HttpMethod.Post, path, body, ("X-A", header));
            var problem = await answer.AssertProblemAsync(HttpStatusCode.BadRequest, "secret_in_request", "no");
            Assert.DoesNotContain("0123456789", problem.GetRawText(), StringComparison.Ordinal);
        }

        Assert.Equal(0, stage.Vendor.Requests.Arrived);
    }

    // What the search does not undo, as docs/SECURITY.md says.
    [Fact]
    public async Task Send_LiveKeyEncodedTwice_IsNotFound()
    {
        await using var stage = await EgressStage.SetAsync();

        using var answer = await stage.SendAsync(EgressStage.Sms.Replace("Hello", Other.Replace("_", "%255f", StringComparison.Ordinal), StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    [Fact]
    public async Task Send_LiveKeyAllowed_GoesOn()
    {
        await using var stage = await EgressStage.SetAsync(more: "guard: { allowSecrets: true }");

        using var answer = await stage.SendAsync(EgressStage.Sms.Replace("Hello", $"key {Other}", StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }
}
