using System.Net;
using SendProxy.Sandbox.Keys;

namespace SendProxy.IntegrationTests.Egress;

public class CredentialTests
{
    private const string Other = "sk_live_other0123456789abc";

    [Fact]
    public async Task Send_NoKeyYet_IsRefusedUntilTheFileIsThere()
    {
        await using var stage = await EgressStage.SetAsync(key: null);
        using var refused = await stage.SendAsync();
        var problem = await refused.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "credential_unavailable", "no");
        Assert.Contains("upstreams.sendapi.credential", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);

        stage.Folder.Write("key", EgressStage.Key);
        await stage.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"Loaded\"", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        using var answer = await stage.SendAsync();

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    [Fact]
    public async Task Rotate_File_TheNewKeyIsUsed()
    {
        await using var stage = await EgressStage.SetAsync(vendor: new() { Keys = ["a=" + EgressStage.Key, "a=" + Other] });
        using var before = await stage.SendAsync();

        stage.Folder.Write("key", Other);
        await stage.Proxy.WaitForLineAsync(
            l => l.Contains("\"event\":\"Loaded\"", StringComparison.Ordinal) && l.Contains(ApiKeys.Fingerprint(Other), StringComparison.Ordinal), TestContext.Current.CancellationToken);
        using var after = await stage.SendAsync();

        Assert.Equal([ApiKeys.Fingerprint(EgressStage.Key), ApiKeys.Fingerprint(Other)], stage.Vendor.Ledger.Read().Select(e => e.KeyFingerprint));
    }

    [Fact]
    public async Task Send_RevokedKey_TheOtherOneIsTriedBeforeTheApplicationSeesAnything()
    {
        await using var stage = await EgressStage.SetAsync(
            credential: "directory: keys",
            vendor: new() { Keys = [Other] },
            prepare: folder =>
            {
                Directory.CreateDirectory(Path.Combine(folder.Path, "keys"));
                folder.Write("keys/current", EgressStage.Key).Write("keys/next", Other);
            });

        using var answer = await stage.SendAsync();
        using var second = await stage.SendAsync();

        Assert.Equal((HttpStatusCode.Accepted, "2"), (answer.StatusCode, answer.Header("SendProxy-Attempts")));
        Assert.Equal((HttpStatusCode.Accepted, "1"), (second.StatusCode, second.Header("SendProxy-Attempts")));
    }

    [Fact]
    public async Task Send_OnlyKeyRevoked_IsTheProxysProblemNotTheCallers()
    {
        await using var stage = await EgressStage.SetAsync(vendor: new() { Keys = [Other] });

        using var answer = await stage.SendAsync();

        await answer.AssertProblemAsync(HttpStatusCode.BadGateway, "credential_rejected", "no");
    }

    [Fact]
    public async Task Send_403_IsPassedOnAndChangesNoKey()
    {
        await using var stage = await EgressStage.SetAsync();

        using var answer = await stage.SendAsync(headers: ("X-Sandbox-Fault", "channel-disabled"));
        using var next = await stage.SendAsync();

        Assert.Equal((HttpStatusCode.Forbidden, "1"), (answer.StatusCode, answer.Header("SendProxy-Attempts")));
        Assert.Equal(HttpStatusCode.Accepted, next.StatusCode);
    }

    [Fact]
    public async Task Send_EchoedKey_IsScrubbedFromHeadersAndBody()
    {
        await using var stage = await EgressStage.SetAsync();

        using var answer = await stage.SendAsync(headers: ("X-Sandbox-Fault", "key-echo"));

        var seen = $"{answer.Headers}{answer.Content.Headers}{await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}";
        Assert.DoesNotContain(EgressStage.Key, seen, StringComparison.Ordinal);
        Assert.Contains("sendproxy_secrets_scrubbed_total{upstream=\"sendapi\"}", await stage.MetricsAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("body")]
    [InlineData("header Authorization")]
    [InlineData("target")]
    public async Task Send_KeyInTheRequest_IsRefused(string where)
    {
        await using var stage = await EgressStage.SetAsync();

        using var answer = where switch
        {
            "body" => await stage.SendAsync($$"""{"to":"+491701234567","from":"Shop","text":"{{EgressStage.Key}}"}"""),
            "header Authorization" => await stage.SendAsync(headers: ("Authorization", "Bearer " + Other)),
            _ => await stage.RequestAsync(HttpMethod.Post, $"/v1/sms/send?key={Other}", EgressStage.Sms),
        };

        var problem = await answer.AssertProblemAsync(HttpStatusCode.BadRequest, "secret_in_request", "no");
        Assert.Contains(where, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, stage.Vendor.Requests.Arrived);
    }
}
