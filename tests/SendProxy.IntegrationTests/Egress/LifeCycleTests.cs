using System.Net;

namespace SendProxy.IntegrationTests.Egress;

public class LifeCycleTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Terminate_RunningSend_IsFinishedAndTheExitIsOrderly()
    {
        await using var stage = await EgressStage.SetAsync();
        var sending = stage.SendAsync(headers: ("X-Sandbox-Fault", "delay;ms=500"));
        await stage.Vendor.Requests.ReachAsync(1, Token);

        var exit = stage.Proxy.TerminateAsync(Token);
        using var answer = await sending;

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(0, await exit);
    }

    [Fact]
    public async Task Terminate_Draining_StillServes()
    {
        await using var stage = await EgressStage.SetAsync();
        stage.Proxy.Signal("-TERM");
        await stage.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"Draining\"", StringComparison.Ordinal), Token);

        using var answer = await stage.SendAsync();

        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Equal(0, await stage.Proxy.WaitForExitAsync(Token));
    }

    // A caller that holds a connection open must learn before its next request that this one is about to close.
    [Fact]
    public async Task Terminate_KeepAliveConnection_AnswerSaysThatItCloses()
    {
        await using var stage = await EgressStage.SetAsync();
        using var before = await stage.SendAsync();
        stage.Proxy.Signal("-TERM");
        await stage.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"Draining\"", StringComparison.Ordinal), Token);

        using var answer = await stage.SendAsync();

        Assert.Equal((HttpStatusCode.Accepted, null, true), (answer.StatusCode, before.Headers.ConnectionClose, answer.Headers.ConnectionClose));
        Assert.Equal(0, await stage.Proxy.WaitForExitAsync(Token));
    }

    [Fact]
    public async Task Caller_LeavesInTheMiddle_TheAttemptIsFinishedInTheBackground()
    {
        await using var stage = await EgressStage.SetAsync();
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Token);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sms/send") { Content = new StringContent(EgressStage.Sms) };
        request.Headers.TryAddWithoutValidation("X-Sandbox-Fault", "delay-before;ms=300");
        var sending = stage.Client.SendAsync(request, leaving.Token);
        await stage.Vendor.Requests.ReachAsync(1, Token);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
        await stage.Vendor.Ledger.ReachAsync(1, Token);

        var line = await stage.Proxy.WaitForLineAsync(l => l.Contains("\"caller_left\"", StringComparison.Ordinal), Token);
        Assert.Contains("\"status\":499", line, StringComparison.Ordinal);
        Assert.Equal(0, await stage.Proxy.TerminateAsync(Token));
    }

    [Fact]
    public async Task Reload_GoodChange_IsAppliedAndABadOneIsNot()
    {
        await using var stage = await EgressStage.SetAsync();
        stage.Folder.Configure(EgressStage.Config(stage.Vendor.HttpAddress!, more: "process: { maxInFlight: 0 }"));
        var refused = await stage.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"Refused\"", StringComparison.Ordinal), Token);
        Assert.Contains("maxInFlight", refused, StringComparison.Ordinal);
        using var still = await stage.SendAsync();
        Assert.Equal(HttpStatusCode.Accepted, still.StatusCode);

        stage.Folder.Configure(EgressStage.Config(
            stage.Vendor.HttpAddress!, more: "routes: [{ name: sms, upstream: sendapi, paused: true, match: { path: /v1/sms/send } }]"));
        await stage.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"Applied\"", StringComparison.Ordinal), Token);
        using var paused = await stage.SendAsync();

        await paused.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "route_paused", "no");
    }

    [Fact]
    public async Task Reload_WhatCannotChange_IsRefusedByName()
    {
        await using var stage = await EgressStage.SetAsync();
        var config = await File.ReadAllTextAsync(stage.Folder.ConfigPath, Token);
        stage.Folder.Configure(config.Replace("drain: 2s", "drain: 3s", StringComparison.Ordinal));

        var refused = await stage.Proxy.WaitForLineAsync(l => l.Contains("\"event\":\"Refused\"", StringComparison.Ordinal), Token);

        Assert.Contains("shutdown cannot be changed while running", refused, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_AddressInUse_SaysWhatToDo()
    {
        await using var stage = await EgressStage.SetAsync();
        var taken = stage.Proxy.Address("egress");
        using var folder = new ProxyFolder().Write("key", EgressStage.Key).Configure(
            EgressStage.Config(stage.Vendor.HttpAddress!).Replace("egress: [\"127.0.0.1:0\"]", $"egress: [\"127.0.0.1:{taken.Port}\"]", StringComparison.Ordinal));

        await using var second = ProxyProcess.Launch(folder, "serve");

        Assert.Equal(1, await second.WaitForExitAsync(Token));
        Assert.Contains(second.Output, l => l.Contains("Change listen, or end what uses the address", StringComparison.Ordinal));
        Assert.DoesNotContain(second.Output, l => l.Contains("   at ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Health_Pages_AnswerOnTheirListener()
    {
        await using var stage = await EgressStage.SetAsync();
        using var client = new HttpClient { BaseAddress = stage.Proxy.Address("metrics") };

        foreach (var page in new[] { "/livez", "/readyz", "/startupz", "/metrics" })
        {
            using var answer = await client.GetAsync(new Uri(page, UriKind.Relative), Token);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }
}
