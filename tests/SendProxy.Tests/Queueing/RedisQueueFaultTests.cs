using System.Text;
using SendProxy.Queueing;
using SendProxy.Sqlite;
using SendProxy.Tests.Redis;
using StackExchange.Redis;

namespace SendProxy.Tests.Queueing;

/// <summary>What a Redis of its own does to the journal: emptied, full, refusing, paused, restarted, keeping too little.</summary>
public sealed class RedisQueueFaultTests
{
    private const string Name = "outbox";
    private static readonly ClaimRequest All = new(Name, 100);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Emptied_WhileRunning_GoesOnWithTheNextCallAndTellsTheLoss()
    {
        await using var server = await OwnAsync();
        await using var test = await RedisQueueUnderTest.OpenAsync(RedisQueueUnderTest.NewOptions(), server.Address);
        await test.Queue.EnqueueAsync([Item(), Item(), Item()], Cancel);
        await test.Queue.SweepAsync(10, Cancel);
        var lease = (await test.Queue.ClaimAsync(All with { Max = 1 }, Cancel)).Items[0].Lease;

        await server.Database.ExecuteAsync("FLUSHALL");

        Assert.Equal(QueueVerdict.Stale, (await test.Queue.FinishAsync(lease, Finish.Done(), Cancel)).Verdict);
        Assert.Equal(EnqueueVerdict.Stored, (await test.Queue.EnqueueAsync([Item()], Cancel))[0].Verdict);
        Assert.Single((await test.Queue.ClaimAsync(All, Cancel)).Items);
        var metrics = await test.ScrapeAsync();
        Assert.Contains("sendproxy_journal_losses_total{kind=\"emptied\"} 1", metrics, StringComparison.Ordinal);
        Assert.Contains("sendproxy_journal_lost_items_total 3", metrics, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("maxmemory", "1000000", "0", QueueError.DiskFull)]
    [InlineData("min-replicas-to-write", "1", "0", QueueError.StoreFailed)]
    public async Task Refusing_Writes_ChangesNothingAndHeals(string setting, string bad, string good, object error)
    {
        await using var server = await OwnAsync();
        await using var test = await RedisQueueUnderTest.OpenAsync(RedisQueueUnderTest.NewOptions(), server.Address);
        await test.Queue.EnqueueAsync([Item(), Item()], Cancel);
        var lease = (await test.Queue.ClaimAsync(All with { Max = 1 }, Cancel)).Items[0].Lease;
        var before = await DumpAsync(server);
        await server.Database.ExecuteAsync("CONFIG", "SET", setting, bad);

        Assert.Equal(EnqueueResult.Failed((QueueError)error), (await test.Queue.EnqueueAsync([Item()], Cancel))[0]);
        Assert.Equal(error, (await test.Queue.ClaimAsync(All, Cancel)).Error);
        Assert.Equal(error, (await test.Queue.FinishAsync(lease, Finish.Done(), Cancel)).Error);
        Assert.Equal(error, (await test.Queue.RetryAsync(lease, new Retry(QueueUnderTest.Start, "x"), Cancel)).Error);
        Assert.Equal(error, (await test.Queue.GiveBackAsync(lease, Cancel)).Error);
        Assert.Equal(before, await DumpAsync(server));

        await server.Database.ExecuteAsync("CONFIG", "SET", setting, good);
        Assert.True((await test.Queue.FinishAsync(lease, Finish.Done(), Cancel)).IsDone);
        Assert.Equal(EnqueueVerdict.Stored, (await test.Queue.EnqueueAsync([Item()], Cancel))[0].Verdict);
    }

    [Fact]
    public async Task Paused_InAClaim_WhatItTookIsGivenBackOnceRedisAnswers()
    {
        await using var server = await OwnAsync();
        await using var test = await RedisQueueUnderTest.OpenAsync(RedisQueueUnderTest.NewOptions(), server.Address, TimeSpan.FromMilliseconds(500));
        await test.Queue.EnqueueAsync([Item()], Cancel);
        server.Pause();
        var lost = await test.Queue.ClaimAsync(All with { Mark = true }, Cancel);
        server.Resume();

        Assert.Equal(QueueError.StoreFailed, lost.Error);
        IReadOnlyList<ClaimedItem> again = [];
        await RedisProcess.UntilAsync(async () => (again = (await test.Queue.ClaimAsync(All, Cancel)).Items).Count == 1, "The item did not come back.");
        Assert.False(again[0].Item.Attempting);
    }

    [Fact]
    public async Task Paused_InAnEnqueueOrFinish_BothAreDoneOnce()
    {
        await using var server = await OwnAsync();
        await using var test = await RedisQueueUnderTest.OpenAsync(RedisQueueUnderTest.NewOptions(), server.Address, TimeSpan.FromMilliseconds(500));
        await test.Queue.EnqueueAsync([Item()], Cancel);
        var lease = (await test.Queue.ClaimAsync(All, Cancel)).Items[0].Lease;
        server.Pause();
        var finishing = test.Queue.FinishAsync(lease, Finish.Done() with { Next = [Item() with { Queue = "deliveries" }] }, Cancel).AsTask();
        var storing = test.Queue.EnqueueAsync([Item()], Cancel).AsTask();
        server.Resume();

        Assert.True((await finishing).IsDone);
        Assert.Equal(EnqueueVerdict.Stored, (await storing)[0].Verdict);
        Assert.Single((await test.Queue.ClaimAsync(All, Cancel)).Items);
        Assert.Single((await test.Queue.ClaimAsync(new ClaimRequest("deliveries", 10), Cancel)).Items);
    }

    // The retry is undone as by a failover to a replica that did not have it: leased by a process that lives and knows nothing of it.
    [Fact]
    public async Task RolledBack_BeforeTheEndOfALease_ItsItemIsFreeAgainAndOneInWorkIsNot()
    {
        await using var server = await OwnAsync();
        await using var test = await RedisQueueUnderTest.OpenAsync(RedisQueueUnderTest.NewOptions(), server.Address, TimeSpan.FromSeconds(1));
        await test.Queue.EnqueueAsync([Item(), Item()], Cancel);
        var claimed = (await test.Queue.ClaimAsync(All, Cancel)).Items;
        var before = await CopyAsync(server);
        await test.Queue.RetryAsync(claimed[0].Lease, new Retry(QueueUnderTest.Start, "busy"), Cancel);
        await RestoreAsync(server, before);

        test.Time.Advance(TimeSpan.FromSeconds(20));
        await test.Queue.SweepAsync(10, Cancel);

        Assert.Equal(claimed[0].Item.Id, Assert.Single((await test.Queue.ClaimAsync(All, Cancel)).Items).Item.Id);
        Assert.True((await test.Queue.FinishAsync(claimed[1].Lease, Finish.Done(), Cancel)).IsDone);
    }

    [Theory]
    [InlineData("no", "everysec", "noeviction", Durability.Memory)]
    [InlineData("yes", "everysec", "noeviction", Durability.Everysec)]
    [InlineData("yes", "always", "noeviction", Durability.Fsync)]
    [InlineData("yes", "no", "noeviction", Durability.Memory)]
    [InlineData("yes", "always", "allkeys-lru", Durability.Memory)]
    [InlineData("yes", "always", "volatile-lru", Durability.Fsync)]
    public async Task Open_TellsWhatRedisKeeps(string appendOnly, string fsync, string policy, object level)
    {
        using var server = await RedisAsync(appendOnly, fsync, policy);
        await using var test = await RedisQueueUnderTest.OpenAsync(RedisQueueUnderTest.NewOptions(), server.Address);

        Assert.Equal(level, test.Queue.Durability);
    }

    [Fact]
    public async Task Open_RedisKeepsLessThanTheMinimum_IsRefusedByName()
    {
        using var server = await RedisAsync("yes", "everysec", "noeviction");

        var refused = await Assert.ThrowsAsync<JournalUnavailableException>(
            () => RedisQueueUnderTest.OpenAsync(RedisQueueUnderTest.NewOptions() with { Minimum = Durability.Fsync }, server.Address));

        Assert.Contains("keeps everysec (appendonly yes, appendfsync everysec, maxmemory-policy noeviction), and journal.minimum is fsync", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Enqueue_RedisKeepsLessSinceItsReconnect_IsRefusedUntilItKeepsMore()
    {
        using var server = await RedisAsync("yes", "everysec", "noeviction");
        await using var admin = await RedisServer.AdminAsync(server.Address, null);
        await using var test = await RedisQueueUnderTest.OpenAsync(RedisQueueUnderTest.NewOptions() with { Minimum = Durability.Everysec }, server.Address);
        Assert.Equal(EnqueueVerdict.Stored, (await test.Queue.EnqueueAsync([Item()], Cancel))[0].Verdict);
        await admin.GetDatabase().ExecuteAsync("CONFIG", "SET", "appendonly", "no");
        await admin.GetDatabase().ExecuteAsync("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");

        await RedisProcess.UntilAsync(
            async () => (await test.Queue.EnqueueAsync([Item()], Cancel))[0].Error == QueueError.NotDurable, "It goes on though it keeps nothing.");
        Assert.Equal(QueueError.NotDurable, (await test.Queue.SweepAsync(10, Cancel)).Error);

        await admin.GetDatabase().ExecuteAsync("CONFIG", "SET", "appendonly", "yes");
        await test.Journal.PulseAsync(Cancel);
        Assert.Equal(EnqueueVerdict.Stored, (await test.Queue.EnqueueAsync([Item()], Cancel))[0].Verdict);
    }

    [Fact]
    public async Task Enqueue_ReplicaDoesNotHaveIt_IsNotAcknowledged()
    {
        using var server = await RedisAsync("yes", "everysec", "noeviction");
        using var replica = await RedisProcess.StartAsync(_ => ["--save", "", "--replicaof", $"127.0.0.1 {server.Port}", "--repl-diskless-sync-delay", "0"]);
        await using var admin = await RedisServer.AdminAsync(server.Address, null);
        await RedisProcess.UntilAsync(async () => (long)await admin.GetDatabase().ExecuteAsync("WAIT", 1, 100) == 1, "The replica does not join.");
        var options = RedisQueueUnderTest.NewOptions() with { Replicas = 1, Minimum = Durability.Replicated };
        await using var test = await RedisQueueUnderTest.OpenAsync(options, server.Address, TimeSpan.FromSeconds(1));

        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => test.Queue.EnqueueAsync([Item()], Cancel).AsTask()));
        Assert.All(results, result => Assert.Equal(EnqueueVerdict.Stored, result[0].Verdict));
        Assert.Equal(Durability.Replicated, test.Queue.Durability);

        replica.Signal("-STOP");
        Assert.Equal(EnqueueResult.Failed(QueueError.NotDurable), (await test.Queue.EnqueueAsync([Item()], Cancel))[0]);
    }

    [Fact]
    public async Task Enqueue_LargerThanMaxItemBytes_IsRefused()
    {
        await using var server = await OwnAsync();
        await using var test = await RedisQueueUnderTest.OpenAsync(RedisQueueUnderTest.NewOptions() with { MaxItemBytes = 1000 }, server.Address);

        Assert.Equal(QueueError.TooLarge, (await test.Queue.EnqueueAsync([Item() with { Body = new byte[1000] }], Cancel))[0].Error);
    }

    [Fact]
    public async Task Open_AnotherNumberOfShardsThanTheData_IsRefusedByName()
    {
        await using var server = await OwnAsync();
        await using var test = await RedisQueueUnderTest.OpenAsync(RedisQueueUnderTest.NewOptions() with { Shards = 4 }, server.Address);

        var refused = await Assert.ThrowsAsync<JournalUnavailableException>(() => test.OpenAnotherAsync(shards: 2));

        Assert.Contains("has 4 shards, and journal.shards is 2", refused.Message, StringComparison.Ordinal);
        await using var unsaid = await test.OpenAnotherAsync(shards: 0);
        Assert.Equal(4, unsaid.Journal.Calls.Shards.Count);
    }

    [Fact]
    public async Task Check_ItemDeletedBehindItsBack_IsToldAsLost()
    {
        await using var server = await OwnAsync();
        await using var test = await RedisQueueUnderTest.OpenAsync(RedisQueueUnderTest.NewOptions(), server.Address);
        await test.Queue.EnqueueAsync([Item(), Item()], Cancel);
        var keys = (RedisKey[])(await server.Database.ExecuteAsync("KEYS", $"*{test.Prefix}*:b:*"))!;
        await server.Database.KeyDeleteAsync(keys[0]);

        var (items, lost, cursor) = (0, 0, (string?)null);
        do
        {
            var step = (await test.Queue.CheckAsync(cursor, Cancel)).Value!;
            (items, lost, cursor) = (items + step.Items, lost + step.Lost, step.Next);
        }
        while (cursor is not null);

        Assert.Equal((2, 1), (items, lost));
    }

    private static NewItem Item() => new() { Queue = Name, Route = "sms", Body = Encoding.UTF8.GetBytes("hello") };

    private static async Task<string> DumpAsync(RedisServer server)
    {
        var copies = await CopyAsync(server);
        return string.Join('\n', copies.Select(copy => $"{Convert.ToHexString((byte[])copy.Key!)} {Convert.ToHexString(copy.Value)}").Order(StringComparer.Ordinal));
    }

    private static async Task<List<(RedisKey Key, byte[] Value)>> CopyAsync(RedisServer server)
    {
        var copies = new List<(RedisKey, byte[])>();
        foreach (var key in (RedisKey[])(await server.Database.ExecuteAsync("KEYS", "*"))!)
        {
            copies.Add((key, (await server.Database.KeyDumpAsync(key))!));
        }

        return copies;
    }

    private static async Task RestoreAsync(RedisServer server, List<(RedisKey Key, byte[] Value)> copies)
    {
        await server.Database.ExecuteAsync("FLUSHALL");
        foreach (var (key, value) in copies)
        {
            await server.Database.KeyRestoreAsync(key, value);
        }
    }

    private static Task<RedisProcess> RedisAsync(string appendOnly, string fsync, string policy)
    {
        Assert.SkipUnless(RedisProcess.IsInstalled, "It needs a redis-server of its own.");
        return RedisProcess.StartAsync(_ => ["--save", "", "--appendonly", appendOnly, "--appendfsync", fsync, "--maxmemory-policy", policy, "--maxmemory", "100mb"]);
    }

    private static async Task<RedisServer> OwnAsync()
    {
        var server = await RedisServer.TryStartAsync();
        Assert.SkipUnless(server?.IsOwn == true, "It needs a redis-server of its own.");
        return server!;
    }
}
