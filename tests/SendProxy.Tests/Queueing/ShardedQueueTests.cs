using System.Text;
using SendProxy.Queueing;
using SendProxy.Queueing.Redis.Shards;
using SendProxy.Tests.Redis;

namespace SendProxy.Tests.Queueing;

/// <summary>A journal of eight shards on a Cluster of three masters: what belongs together is found together, and nothing is left on a shard.</summary>
public sealed class ShardedQueueTests(RedisClusterFixture redis) : IAsyncLifetime
{
    private const string Name = "outbox";
    private RedisCluster _cluster = null!;
    private RedisQueueUnderTest _test = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IMessageQueue Queue => _test.Queue;

    public async ValueTask InitializeAsync()
    {
        _cluster = await redis.StartedAsync();
        _test = await RedisQueueUnderTest.OpenAsync(RedisQueueUnderTest.NewOptions() with { Shards = 0 }, _cluster.Address);
    }

    public async ValueTask DisposeAsync() => await _test.DisposeAsync();

    [Fact]
    public void Shards_OnACluster_AreEightOnAllMasters()
    {
        Assert.Equal(8, _test.Journal.Calls.Shards.Count);
        Assert.Equal(3, _test.Journal.Calls.Shards.Select(shard => _cluster.NodeOf(shard.Key)).Distinct().Count());
        Assert.Equal(3, Enumerable.Range(0, 8).Select(n => _cluster.NodeOf(QueueShard.KeyOf("sendproxy", n))).Distinct().Count());
    }

    [Fact]
    public async Task Items_OfAllShards_AreClaimedOnceListedInOrderCountedAndSwept()
    {
        var stored = (await Queue.EnqueueAsync([.. Enumerable.Range(0, 100).Select(i => Item($"{i}"))], Cancel)).Select(result => result.Id).ToArray();
        Assert.True(_test.Journal.Calls.Shards.Count(shard => _cluster.Keys($"{shard.Key}:b:*").Length > 0) > 4);

        var listed = new List<Guid>();
        string? cursor = null;
        do
        {
            var page = (await Queue.ListAsync(new ListRequest(Name, ItemState.Queued, cursor, Max: 7), Cancel)).Value!;
            listed.AddRange(page.Items.Select(item => item.Id));
            cursor = page.Next;
        }
        while (cursor is not null);
        Assert.Equal(stored.Order(), listed.Order());
        Assert.Equal(100, listed.Distinct().Count());
        Assert.Equal(100, (await Queue.CountsAsync(Name, Cancel)).Value!.Single().Items);

        var claimed = new List<ClaimedItem>();
        while ((await Queue.ClaimAsync(new ClaimRequest(Name, 9), Cancel)).Items is { Count: > 0 } some)
        {
            claimed.AddRange(some);
        }

        Assert.Equal(100, claimed.Select(item => item.Item.Id).Distinct().Count());
        foreach (var item in claimed)
        {
            Assert.True((await Queue.FinishAsync(item.Lease, Finish.Done() with { Next = [Item("follows") with { Queue = "deliveries" }] }, Cancel)).IsDone);
        }

        Assert.Equal(100, (await Queue.CountsAsync("deliveries", Cancel)).Value!.Single().Items);
        _test.Time.Advance(TimeSpan.FromDays(2));
        Assert.Equal(100, (await Queue.SweepAsync(1000, Cancel)).Value);
    }

    [Fact]
    public async Task OrderKeys_OnAllShards_EachGoesOneAtATimeInOrderOfArrival()
    {
        var items = from number in Enumerable.Range(0, 5) from key in Enumerable.Range(0, 20) select Item($"{number}") with { OrderKey = $"key {key}" };
        foreach (var item in items)
        {
            await Queue.EnqueueAsync([item], Cancel);
        }

        for (var round = 0; round < 5; round++)
        {
            var claimed = (await Queue.ClaimAsync(new ClaimRequest(Name, 100), Cancel)).Items;
            Assert.Equal(20, claimed.Select(item => item.Item.OrderKey).Distinct().Count());
            Assert.All(claimed, item => Assert.Equal($"{round}", Encoding.UTF8.GetString(item.Body.Span)));
            await Task.WhenAll(claimed.Select(item => Queue.FinishAsync(item.Lease, Finish.Done(), Cancel).AsTask()));
        }
    }

    [Fact]
    public async Task DedupeKeys_FromTwoProcesses_AreStoredOnce()
    {
        await using var second = await _test.OpenAnotherAsync();
        var items = Enumerable.Range(0, 40).Select(i => Item("x") with { Dedupe = new DedupeKey("source", $"evt_{i % 20}", TimeSpan.FromHours(1), 100) });

        var results = await Task.WhenAll(items.Select((item, i) => (i < 20 ? Queue : second.Queue).EnqueueAsync([item], Cancel).AsTask()));

        Assert.Equal(20, results.Count(result => result[0].Verdict == EnqueueVerdict.Stored));
        Assert.Equal(20, results.Count(result => result[0].Verdict == EnqueueVerdict.Duplicate));
    }

    [Fact]
    public async Task Operator_ItemOnWhicheverShard_IsFoundHeldReplayedAndDiscarded()
    {
        var ids = (await Queue.EnqueueAsync([.. Enumerable.Range(0, 10).Select(i => Item("x") with { Dedupe = new DedupeKey("s", $"{i}", TimeSpan.FromHours(1), 100) })], Cancel)).Select(r => r.Id).ToArray();
        await Queue.HoldAsync(new Hold(Name, HoldScope.Route, "sms", "operator"), Cancel);

        Assert.Empty((await Queue.ClaimAsync(new ClaimRequest(Name, 10), Cancel)).Items);
        Assert.Equal("operator", Assert.Single((await Queue.HoldsAsync(Name, Cancel)).Value!).Reason);
        foreach (var id in ids)
        {
            Assert.Equal(ItemState.Held, (await Queue.GetAsync(Name, id, Cancel)).Value!.State);
            Assert.True((await Queue.EditAsync(Name, id, new Edit(default, "y"u8.ToArray(), null), Cancel)).IsDone);
            Assert.True((await Queue.DiscardAsync(Name, id, Cancel)).IsDone);
        }

        Assert.True((await Queue.ReleaseAsync(Name, HoldScope.Route, "sms", Cancel)).IsDone);
        Assert.Equal(QueueVerdict.NotFound, (await Queue.DiscardAsync(Name, Guid.NewGuid(), Cancel)).Verdict);
    }

    private static NewItem Item(string body) => new() { Queue = Name, Route = "sms", Body = Encoding.UTF8.GetBytes(body) };
}
