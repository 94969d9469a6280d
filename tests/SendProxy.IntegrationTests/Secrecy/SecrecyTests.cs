using System.Text;
using SendProxy.IntegrationTests.Egress;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.IntegrationTests.Secrecy;

// A planted key must be found nowhere but in the requests to the vendor.
public class SecrecyTests
{
    private static readonly string[] Faults =
    [
        "accept-drop;times=all", "drop-before;times=all", "error-after", "partial-body;times=all", "key-echo", "unauthorized;times=all",
        "channel-disabled", "quota-exceeded", "rate-limited;retry_after=100", "delay;ms=5000;times=all", "wrong-content-type", "invalid-parameter",
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("debug")]
    [InlineData("info")]
    public async Task PlantedKey_EveryErrorPath_IsFoundNowhere(string level)
    {
        await using var stage = await EgressStage.SetAsync(
            "timeouts: { attempt: 200ms, total: 500ms }, retry: { attempts: 2, baseDelay: 1ms }",
            $$"""
            telemetry: { log: { level: {{level}} } }
            journal: { path: journal.db, allowEphemeral: true, minimum: memory }
            webhooks:
              sources: { sendapi: { preset: sendapi, secrets: [{ file: hook }] } }
              subscribers: { app: { url: "http://127.0.0.1:9/none" } }
            """,
            prepare: f => f.Write("hook", WebhookTarget.DefaultSecret));
        stage.Vendor.Webhooks.Target = new WebhookTarget(new Uri(stage.Proxy.Address("webhooks"), "/webhooks/sendapi"), WebhookTarget.DefaultSecret);
        var seen = new StringBuilder();

        foreach (var fault in Faults)
        {
            using var answer = await stage.SendAsync(headers: ("X-Sandbox-Fault", fault));
            seen.Append(answer.Headers).Append(answer.Content.Headers).Append(await answer.Content.ReadAsStringAsync(Token));
        }

        stage.Folder.Write("key", "garbage " + EgressStage.Key);
        await stage.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"Unusable\"", StringComparison.Ordinal), Token);
        stage.Folder.Configure(await File.ReadAllTextAsync(stage.Folder.ConfigPath, Token) + $"unknown: {EgressStage.Key}\n");
        await stage.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"Refused\"", StringComparison.Ordinal), Token);
        await using var check = ProxyProcess.Launch(stage.Folder, "check");
        Assert.Equal(2, await check.WaitForExitAsync(Token));
        seen.Append(await stage.MetricsAsync());
        await stage.Proxy.TerminateAsync(Token);

        KeyHunt.AssertHidden("an answer or /metrics", seen.ToString());
        KeyHunt.AssertHidden("check", string.Join('\n', check.Output));
        KeyHunt.AssertHidden("the log", string.Join('\n', stage.Proxy.Output));
        foreach (var file in Directory.GetFiles(stage.Folder.Path).Where(f => Path.GetFileName(f) is not ("key" or "proxy.yaml")))
        {
            KeyHunt.AssertHidden(file, await File.ReadAllBytesAsync(file, Token));
        }
    }

    // The negative control: the hunt finds a key where one is.
    [Fact]
    public void Hunt_PlantedKey_IsFound() =>
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => KeyHunt.AssertHidden("here", $"Bearer {EgressStage.Key}"));

    [Fact]
    public async Task Journal_Events_AreSealed()
    {
        await using var stage = await EgressStage.SetAsync(
            more: """
            journal: { path: journal.db, allowEphemeral: true, minimum: memory }
            webhooks:
              sources: { sendapi: { preset: sendapi, secrets: [{ file: hook }] } }
              subscribers: { app: { url: "http://127.0.0.1:9/none" } }
            """,
            prepare: f => f.Write("hook", WebhookTarget.DefaultSecret));
        stage.Vendor.Webhooks.Target = new WebhookTarget(new Uri(stage.Proxy.Address("webhooks"), "/webhooks/sendapi"), WebhookTarget.DefaultSecret);
        using var sent = await stage.SendAsync();
        await stage.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"webhook\"", StringComparison.Ordinal), Token);
        await stage.Proxy.TerminateAsync(Token);

        foreach (var file in Directory.GetFiles(stage.Folder.Path, "journal.db*"))
        {
            var text = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, Token));
            Assert.DoesNotContain("491701234567", text, StringComparison.Ordinal);
            Assert.DoesNotContain("message.queued", text, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(stage.Proxy.Output, l => l.Contains("491701234567", StringComparison.Ordinal));
    }
}
