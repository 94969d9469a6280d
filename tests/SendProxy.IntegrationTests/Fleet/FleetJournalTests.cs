using System.Net;
using SendProxy.IntegrationTests.Webhooks;
using SendProxy.Tests.Redis;

namespace SendProxy.IntegrationTests.Fleet;

/// <summary>The real program on a journal in Redis: received by one process, delivered by another, through deaths of either and of Redis.</summary>
public class FleetJournalTests
{
    private static readonly string[] Durable = ["--save", "", "--appendonly", "yes", "--appendfsync", "always"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_ReceivedByOneProcess_AreDeliveredOnceByAnother()
    {
        using var redis = await RedisAsync();
        await using var application = await Destination.StartAsync(Token);
        await using var stage = new JournalStage(redis.Address, application.Address, "minimum: fsync");
        var gateway = await stage.StartAsync("webhooks");
        var worker = await stage.StartAsync("worker");
        var second = await stage.StartAsync("webhooks, worker");

        var sent = (await JournalStage.SendAsync(gateway, 1, 30)).Concat(await JournalStage.SendAsync(second, 31, 30)).ToArray();
        await application.WaitForAsync(60, Token);
        using var vendor = new Vendor(second.Address("webhooks"));
        using var repeated = await vendor.SendAsync(Vendor.Event(1), "msg_1", Token);
        var exits = await Task.WhenAll(gateway.TerminateAsync(Token), worker.TerminateAsync(Token), second.TerminateAsync(Token));

        Assert.Equal(HttpStatusCode.OK, repeated.StatusCode);
        Assert.Equal("fsync", repeated.Headers.GetValues("SendProxy-Durability").Single());
        Assert.Equal(sent.Order(StringComparer.Ordinal), application.Requests.Select(JournalStage.Body).Order(StringComparer.Ordinal));
        Assert.Equal([0, 0, 0], exits);
    }

    [Fact]
    public async Task Worker_KilledWithDeliveriesInFlight_AnotherTakesThemOver()
    {
        using var redis = await RedisAsync();
        var hangs = true;
        await using var application = await Destination.StartAsync(
            Token, answer: (_, context) => Volatile.Read(ref hangs) ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted) : Task.CompletedTask);
        await using var stage = new JournalStage(redis.Address, application.Address);
        var gateway = await stage.StartAsync("webhooks");
        var worker = await stage.StartAsync("worker");
        var sent = await JournalStage.SendAsync(gateway, 1, 4);
        await application.WaitForAsync(4, Token);
        var another = await stage.StartAsync("worker");

        Volatile.Write(ref hangs, false);
        var killed = TimeProvider.System.GetTimestamp();
        await worker.KillAsync();
        await another.WaitForLinesAsync(4, IsDelivered, Token);

        TestContext.Current.TestOutputHelper!.WriteLine($"taken over after {TimeProvider.System.GetElapsedTime(killed).TotalSeconds:0.00} s");
        Assert.Equal(8, application.Requests.Count);
        Assert.All(application.Requests.GroupBy(JournalStage.Body), same => Assert.Single(same.Select(r => r.Header("webhook-id")).Distinct()));
        Assert.Equal(sent.Order(StringComparer.Ordinal), application.Requests.Select(JournalStage.Body).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Redis_KilledAndStartedAgain_NothingAcknowledgedIsLost()
    {
        using var redis = await RedisAsync();
        await using var application = await Destination.StartAsync(Token);
        await using var stage = new JournalStage(redis.Address, application.Address, "minimum: fsync");
        var both = await stage.StartAsync("webhooks, worker");
        var before = await JournalStage.SendAsync(both, 1, 20);

        redis.Kill();
        using (var vendor = new Vendor(both.Address("webhooks")))
        {
            using var refused = await vendor.SendAsync(Vendor.Event(100), "msg_100", Token);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        }

        var amid = JournalStage.SendAsync(both, 100, 20);
        await redis.StartAgainAsync();
        var all = before.Concat(await amid).ToHashSet();

        await application.WaitForAsync(requests => all.IsSubsetOf(requests.Select(JournalStage.Body)), Token);
        Assert.All(application.Requests.GroupBy(JournalStage.Body), same => Assert.Single(same.Select(r => r.Header("webhook-id")).Distinct()));
    }

    [Fact]
    public async Task Redis_NotThereAtTheStart_IsUsedOnceItIs()
    {
        using var redis = await RedisAsync();
        redis.Kill();
        await using var application = await Destination.StartAsync(Token);
        await using var stage = new JournalStage(redis.Address, application.Address);
        var both = await stage.StartAsync("webhooks, worker");

        await redis.StartAgainAsync();
        var sent = await JournalStage.SendAsync(both, 1, 5);

        await application.WaitForAsync(requests => sent.ToHashSet().IsSubsetOf(requests.Select(JournalStage.Body)), Token);
    }

    // Each acknowledged event is on the replica by then: the replica that becomes the master has it.
    [Fact]
    public async Task Sentinel_FailsOver_WhatReplicasHadIsDelivered()
    {
        await using var redis = Required(await RedisSentinel.TryStartAsync());
        var down = true;
        await using var application = await Destination.StartAsync(Token, answer: (_, context) =>
        {
            context.Response.StatusCode = Volatile.Read(ref down) ? 503 : 200;
            return Task.CompletedTask;
        });
        await using var stage = new JournalStage(redis.Address, application.Address, "minimum: memory\n  replicas: 1");
        var both = await stage.StartAsync("webhooks, worker");
        var sent = (await JournalStage.SendAsync(both, 1, 30)).ToHashSet();

        redis.KillMaster();
        await redis.FailedOverAsync();
        var before = application.Requests.Count;
        Volatile.Write(ref down, false);

        await application.WaitForAsync(requests => sent.IsSubsetOf(requests.Skip(before).Select(JournalStage.Body)), Token);
    }

    [Fact]
    public async Task Cluster_EventsThroughTwoProcesses_AreDeliveredOnce()
    {
        await using var redis = Required(await RedisCluster.TryStartAsync());
        await using var application = await Destination.StartAsync(Token);
        await using var stage = new JournalStage(redis.Address, application.Address, "minimum: memory");
        var first = await stage.StartAsync("webhooks, worker");
        var second = await stage.StartAsync("webhooks, worker");

        var sent = (await JournalStage.SendAsync(first, 1, 50)).Concat(await JournalStage.SendAsync(second, 51, 50)).ToArray();
        await application.WaitForAsync(100, Token);
        await Task.WhenAll(first.TerminateAsync(Token), second.TerminateAsync(Token));

        Assert.Equal(sent.Order(StringComparer.Ordinal), application.Requests.Select(JournalStage.Body).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Check_RedisWithoutSealKeys_IsRefusedByName()
    {
        using var folder = new ProxyFolder();
        folder.Write("vendor", Vendor.Secret).Configure("""
            version: 1
            roles: [webhooks, worker]
            journal: { kind: redis }
            webhooks: { sources: { sendapi: { preset: sendapi, secrets: [{ file: vendor }] } } }
            """);

        await using var check = ProxyProcess.Launch(folder, "check");

        Assert.NotEqual(0, await check.WaitForExitAsync(Token));
        var output = string.Join('\n', check.Output);
        Assert.Contains("sealKeys: is required with kind: redis", output, StringComparison.Ordinal);
        Assert.Contains("write journal: { redis: { connection: redis:6379 } }", output, StringComparison.Ordinal);
    }

    private static bool IsDelivered(string line) => line.Contains("\"outcome\":\"delivered\"", StringComparison.Ordinal);

    private static Task<RedisProcess> RedisAsync()
    {
        Assert.SkipUnless(RedisProcess.IsInstalled || Environment.GetEnvironmentVariable("CI") == "true", "It needs a redis-server; install it.");
        return RedisProcess.StartAsync(_ => Durable);
    }

    private static T Required<T>(T? redis)
        where T : class
    {
        Assert.SkipUnless(redis is not null || Environment.GetEnvironmentVariable("CI") == "true", "It needs a redis-server; install it.");
        return redis ?? throw new InvalidOperationException("CI has no redis-server.");
    }
}
