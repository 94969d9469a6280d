using Microsoft.Extensions.Time.Testing;
using SendProxy.Sandbox.Idempotency;
using SendProxy.Sandbox.Server;

namespace SendProxy.Tests.Sandbox;

public class IdempotencyTests
{
    private static Task<SandboxClient> StartAsync(string mode, TimeProvider? time = null) =>
        SandboxClient.StartAsync(
            new SandboxOptions { Idempotency = new() { Mode = Enum.Parse<IdempotencyMode>(mode) } }, time);

    [Theory]
    [InlineData("Strict")]
    [InlineData("SuccessOnly")]
    [InlineData("NoCompare")]
    [InlineData("StoreErrors")]
    public async Task Send_SameKeyTwice_ReplaysOneEffect(string mode)
    {
        await using var client = await StartAsync(mode);

        using var first = await client.SendAsync(key: "k");
        using var second = await client.SendAsync(key: "k");

        Assert.Equal(await SandboxClient.JsonAsync(first), await SandboxClient.JsonAsync(second), JsonEqual);
        Assert.False(first.Headers.Contains("Idempotent-Replayed"));
        Assert.Equal("true", second.Headers.GetValues("Idempotent-Replayed").Single());
        Assert.Equal(1, client.Server.Ledger.Effects);
    }

    [Fact]
    public async Task Send_SameKeyTwiceWhenIgnored_HasTwoEffects()
    {
        await using var client = await StartAsync("Ignored");

        await client.StatusAsync(key: "k");
        await client.StatusAsync(key: "k");

        Assert.Equal(2, client.Server.Ledger.Effects);
        Assert.Equal(1, client.Server.Ledger.Summary().Keys.Repeated);
    }

    [Theory]
    [InlineData("Strict", 422, 1)]
    [InlineData("SuccessOnly", 422, 1)]
    [InlineData("StoreErrors", 422, 1)]
    [InlineData("NoCompare", 202, 1)]
    [InlineData("Ignored", 202, 2)]
    public async Task Send_SameKeyOtherBody_AnswersByMode(string mode, int status, int effects)
    {
        await using var client = await StartAsync(mode);
        await client.StatusAsync(SandboxClient.SmsBody(text: "a"), "k");

        var second = await client.StatusAsync(SandboxClient.SmsBody(text: "b"), "k");

        Assert.Equal(status, second);
        Assert.Equal(effects, client.Server.Ledger.Effects);
    }

    // After error-after the vendor has sent; what a retry does depends on what the vendor stored.
    [Theory]
    [InlineData("Strict", 202, 1)]
    [InlineData("NoCompare", 202, 1)]
    [InlineData("StoreErrors", 500, 1)]
    [InlineData("SuccessOnly", 202, 2)]
    [InlineData("Ignored", 202, 2)]
    public async Task Retry_AfterErrorAfterAccepting_HasEffectsByMode(string mode, int status, int effects)
    {
        await using var client = await StartAsync(mode);
        Assert.Equal(500, await client.StatusAsync(key: "k", fault: "error-after"));

        var retry = await client.StatusAsync(key: "k");

        Assert.Equal(status, retry);
        Assert.Equal(effects, client.Server.Ledger.Effects);
    }

    [Theory]
    [InlineData("Strict", 202, 1)]
    [InlineData("NoCompare", 202, 1)]
    [InlineData("StoreErrors", 500, 0)]
    [InlineData("SuccessOnly", 202, 1)]
    [InlineData("Ignored", 202, 1)]
    public async Task Retry_AfterErrorBeforeAccepting_AnswersByMode(string mode, int status, int effects)
    {
        await using var client = await StartAsync(mode);
        Assert.Equal(500, await client.StatusAsync(key: "k", fault: "error-before"));

        var retry = await client.StatusAsync(key: "k");

        Assert.Equal(status, retry);
        Assert.Equal(effects, client.Server.Ledger.Effects);
    }

    [Theory]
    [InlineData("Strict", true)]
    [InlineData("NoCompare", true)]
    [InlineData("StoreErrors", true)]
    [InlineData("SuccessOnly", false)]
    public async Task Retry_AfterFinal4xx_ReplaysByMode(string mode, bool replays)
    {
        await using var client = await StartAsync(mode);
        await client.StatusAsync("{}", "k");

        using var retry = await client.SendAsync("{}", "k");

        Assert.Equal(400, (int)retry.StatusCode);
        Assert.Equal(replays, retry.Headers.Contains("Idempotent-Replayed"));
    }

    [Fact]
    public async Task Send_WhileFirstRuns_Answers409WithRetryAfterOne()
    {
        var time = new FakeTimeProvider();
        await using var client = await StartAsync("Strict", time);
        var first = client.SendAsync(key: "k", fault: "delay;ms=5000");
        await client.Server.Ledger.ReachAsync(1, TestContext.Current.CancellationToken);

        using var second = await client.SendAsync(key: "k");

        Assert.Equal(409, (int)second.StatusCode);
        Assert.Equal("idempotency_key_in_use", await SandboxClient.CodeAsync(second));
        Assert.Equal(TimeSpan.FromSeconds(1), second.Headers.RetryAfter!.Delta);
        while (!first.IsCompleted)
        {
            // It is in the ledger before it begins to wait.
            time.Advance(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }

        using var firstAnswer = await first;
        Assert.Equal(202, (int)firstAnswer.StatusCode);
        Assert.Equal(1, client.Server.Ledger.Effects);
    }

    [Fact]
    public async Task Send_SameKeyAfterLifetime_HasSecondEffect()
    {
        var time = new FakeTimeProvider();
        await using var client = await StartAsync("Strict", time);
        await client.StatusAsync(key: "k");
        time.Advance(TimeSpan.FromHours(24) - TimeSpan.FromTicks(1));
        await client.StatusAsync(key: "k");
        Assert.Equal(1, client.Server.Ledger.Effects);

        time.Advance(TimeSpan.FromTicks(1));
        await client.StatusAsync(key: "k");

        Assert.Equal(2, client.Server.Ledger.Effects);
    }

    [Theory]
    [InlineData("Account", "acct_a", 1)]
    [InlineData("Account", "acct_b", 2)]
    [InlineData("ApiKey", "acct_a", 2)]
    public async Task Send_SameKeyUnderOtherApiKey_HasEffectsByScope(string scope, string otherAccount, int effects)
    {
        await using var client = await SandboxClient.StartAsync(new SandboxOptions
        {
            Keys = [$"acct_a={SandboxClient.Key}", $"{otherAccount}=sk_live_other"],
            Idempotency = new IdempotencyOptions { Scope = Enum.Parse<IdempotencyScope>(scope) },
        });
        await client.StatusAsync(key: "k");
        client.Http.DefaultRequestHeaders.Authorization = new("Bearer", "sk_live_other");

        await client.StatusAsync(key: "k");

        Assert.Equal(effects, client.Server.Ledger.Effects);
    }

    [Theory]
    [InlineData(255, 202)]
    [InlineData(256, 400)]
    public async Task Send_KeyOfLength_IsAcceptedUpTo255(int length, int status)
    {
        await using var client = await StartAsync("Strict");

        Assert.Equal(status, await client.StatusAsync(key: new string('k', length)));
    }

    [Fact]
    public async Task Send_SameKeyOnOtherPath_IsAnotherRequest()
    {
        await using var client = await StartAsync("Strict");
        await client.StatusAsync(key: "k");

        var status = await client.StatusAsync(
            """{"session_id":"wa_main","to":"+491701234567","type":"text","text":"x"}""",
            "k",
            path: "/v1/whatsapp/send");

        Assert.Equal(202, status);
        Assert.Equal(2, client.Server.Ledger.Effects);
    }

    private static bool JsonEqual(System.Text.Json.JsonElement a, System.Text.Json.JsonElement b) =>
        System.Text.Json.JsonElement.DeepEquals(a, b);
}
