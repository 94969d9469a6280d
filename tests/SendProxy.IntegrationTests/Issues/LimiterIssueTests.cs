using System.Net;
using SendProxy.IntegrationTests.Campaigns;
using SendProxy.IntegrationTests.Egress;
using SendProxy.IntegrationTests.Fleet;
using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Server;
using SendProxy.Tests.Redis;

namespace SendProxy.IntegrationTests.Issues;

/// <summary>What the limiter's tests in virtual time prove, once more with real processes, a real Redis and signals.</summary>
public class LimiterIssueTests
{
    private const int Rate = 200;
    private const int Burst = 40;
    private const int Proxies = 3;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AllProcessesStopped_ForThreeSeconds_NoRefusalAfterwards()
    {
        await using var stage = await LimitsStage.SetAsync(Proxies, LimitsStage.Bucket(Rate, Burst), $"{{ rate: {Rate}/s, counts: bucket, burst: {Burst}, maxWait: 2s }}");

        var run = await stage.RunAsync($"{Proxies} at 1.5 R, all stopped for 3 s", 1.5 * Rate, TimeSpan.FromSeconds(7), during: async _ =>
        {
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, Token);
            SignalAll(stage.Fleet, "-STOP");
            await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, Token);
            SignalAll(stage.Fleet, "-CONT");
        });

        Assert.Equal(0, run.Refusals);
    }

    [Fact]
    public async Task AbsurdRetryAfter_Unblocked_TheWholeFleetSendsAgain()
    {
        await using var fleet = await FleetStage.SetAsync(["", ""], more: "limits: { plan: { rate: 100/s } }", vendor: Vendor());
        using var good = await fleet.SendAsync(1, "good");
        using var absurd = await fleet.SendAsync(0, "absurd", "rate-limited-absurd");
        await RedisProcess.UntilAsync(async () => (await SendAsync(fleet, 1)).Error == "rate_limited", "the other process was not told of the block");
        var blocked = await SendAsync(fleet, 1);

        var (code, output) = await RunAsync(fleet.Folder(1), "limits", "unblock", "plan");

        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.TooManyRequests), (good.StatusCode, absurd.StatusCode));
        // Both the one that met it and the other are told the bound.
        Assert.Equal(TimeSpan.FromMinutes(5), absurd.Headers.RetryAfter?.Delta);
        Assert.InRange(blocked.RetryAfter!.Value.TotalMinutes, 4, 5.1);
        Assert.True(code == 0 && output.Contains("is no longer blocked, in the whole fleet", StringComparison.Ordinal), output);
        for (var i = 0; i < 2; i++)
        {
            var proxy = i;
            await RedisProcess.UntilAsync(async () => (await SendAsync(fleet, proxy)).Error.Length == 0, $"proxy {proxy} is still blocked");
        }
    }

    [Fact]
    public async Task Unblock_NameThatIsNoLimit_SaysWhichThereAre()
    {
        await using var stage = await EgressStage.SetAsync(more: "limits: { plan: { rate: 100/s }, month: { quota: 100 } }");

        var (code, output) = await RunAsync(stage.Folder, "limits", "unblock", "plna");
        var (quota, quotaOutput) = await RunAsync(stage.Folder, "limits", "unblock", "month");

        Assert.True(code == 1 && output.Contains("plan, month", StringComparison.Ordinal), output);
        Assert.True(quota == 0 && quotaOutput.Contains("is a quota", StringComparison.Ordinal), quotaOutput);
    }

    [Fact]
    public async Task MaxWaitZero_IdlePlan_LetsSendsGo()
    {
        await using var alone = await EgressStage.SetAsync(more: "limits: { plan: { rate: 100/s, maxWait: 0s }, slots: { concurrent: 10, maxWait: 0s } }");
        using var here = await alone.SendAsync();
        await using var fleet = await FleetStage.SetAsync([""], more: "limits: { plan: { rate: 100/s, maxWait: 0s } }", vendor: Vendor());
        // A fleet that has just begun knows nothing of its past, and holds back for a moment.
        await RedisProcess.UntilAsync(async () => (await SendAsync(fleet, 0)).Error.Length == 0, "nothing is let go");
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, Token);
        var there = new List<string>();
        for (var i = 0; i < 10; i++)
        {
            // Slower than the plan: more than its burst at once would have to wait, which 0s forbids.
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Token);
            there.Add((await SendAsync(fleet, 0)).Error);
        }

        Assert.Equal(HttpStatusCode.Accepted, here.StatusCode);
        Assert.All(there, error => Assert.Equal("", error));
    }

    // A vendor that says nothing of its limit: its 429 is all there is.
    private static SandboxOptions Vendor() => new() { Keys = [EgressStage.Key], RateHeaders = new RateHeaderOptions { Names = RateHeaderNames.None } };

    private static async Task<(string Error, TimeSpan? RetryAfter)> SendAsync(FleetStage fleet, int proxy)
    {
        using var answer = await fleet.SendAsync(proxy, Guid.NewGuid().ToString());
        return (answer.StatusCode == HttpStatusCode.Accepted ? "" : answer.Header("SendProxy-Error"), answer.Headers.RetryAfter?.Delta);
    }

    private static async Task<(int Code, string Output)> RunAsync(ProxyFolder folder, params string[] arguments)
    {
        await using var command = ProxyProcess.Launch(folder, arguments);
        var code = await command.WaitForExitAsync(Token);
        return (code, string.Join('\n', command.Output));
    }

    private static void SignalAll(FleetStage fleet, string signal)
    {
        for (var i = 0; i < fleet.Count; i++)
        {
            fleet.Proxy(i).Signal(signal);
        }
    }
}
