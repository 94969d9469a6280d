using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using SendProxy.Queueing;
using SendProxy.Queueing.Sqlite;
using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;
using SendProxy.Tests.Queueing;

namespace SendProxy.Tests.Issues;

/// <summary>One start with a wrong seal key must not cost the backlog that was acknowledged.</summary>
public sealed class WrongSealKeyTests : IDisposable
{
    private const string Name = "deliveries";
    private readonly JournalOptions _options = SqliteQueueUnderTest.NewOptions();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Folder => Path.GetDirectoryName(_options.Path)!;

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    [Fact]
    public async Task Open_KeyThatOpensNothing_IsRefusedWithTheMissingKeyAndTheRemedy()
    {
        var (right, wrong) = (NewKey("right"), NewKey("wrong"));
        await StoreAsync(50, right);

        var refused = await Assert.ThrowsAsync<SealKeyUnavailableException>(() => StoreAsync(1, wrong));

        Assert.Contains("50 items", refused.Message, StringComparison.Ordinal);
        Assert.Contains(IdOf(right), refused.Message, StringComparison.Ordinal);
        Assert.Contains("journal.sealKeys", refused.Message, StringComparison.Ordinal);
        Assert.Equal(50, await UseAsync(async queue => (await queue.ClaimAsync(new ClaimRequest(Name, 100), Cancel)).Items.Count, right));
    }

    [Fact]
    public async Task Open_NewKeyMadeBesideTheJournal_IsRefusedWhileItHoldsItemsOfAnother()
    {
        await StoreAsync(3);
        File.WriteAllText(_options.Path + ".key", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));

        var refused = await Assert.ThrowsAsync<SealKeyUnavailableException>(() => StoreAsync(1));

        Assert.Contains("3 items", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_OneKeyOfTwoIsMissing_ItsItemsAreHeldAndComeBackByThemselves()
    {
        var (old, current) = (NewKey("old"), NewKey("current"));
        await StoreAsync(2, old);
        await StoreAsync(3, current, old);

        await UseAsync(async queue =>
        {
            Assert.Equal(3, (await queue.ClaimAsync(new ClaimRequest(Name, 100), Cancel)).Items.Count);
            Assert.Equal((2, 0), (await CountAsync(queue, ItemState.Held), await CountAsync(queue, ItemState.Dead)));
            var held = (await queue.ListAsync(new ListRequest(Name, ItemState.Held), Cancel)).Value!.Items;
            Assert.All(held, item => Assert.Equal("seal_key_missing", item.Reason));
            return 0;
        }, current);

        Assert.Equal(5, await UseAsync(async queue => (await queue.ClaimAsync(new ClaimRequest(Name, 100), Cancel)).Items.Count, current, old));
    }

    [Fact]
    public async Task Open_OnlyFinishedItemsOfAMissingKey_Starts()
    {
        var (old, current) = (NewKey("old"), NewKey("current"));
        await UseAsync(async queue =>
        {
            await queue.EnqueueAsync([Item()], Cancel);
            var claimed = Assert.Single((await queue.ClaimAsync(new ClaimRequest(Name, 1), Cancel)).Items);
            return await queue.FinishAsync(claimed.Lease, Finish.Done(), Cancel);
        }, old);

        Assert.Equal(1, await StoreAsync(1, current));
    }

    [Fact]
    public async Task Open_ItemsThatAnEarlierVersionCalledDead_ComeBackWithTheirKey()
    {
        var key = NewKey("key");
        await StoreAsync(2, key);
        await UseAsync(async queue =>
        {
            foreach (var item in (await queue.ClaimAsync(new ClaimRequest(Name, 2), Cancel)).Items)
            {
                await queue.FinishAsync(item.Lease, Finish.Dead("seal_unopenable") with { AttemptsMade = 0 }, Cancel);
            }

            return 0;
        }, key);

        Assert.Equal(2, await UseAsync(async queue => (await queue.ClaimAsync(new ClaimRequest(Name, 100), Cancel)).Items.Count, key));
    }

    [Fact]
    public async Task Claim_DamagedItem_IsHeldAndLetsTheOthersGo()
    {
        var key = NewKey("key");
        await StoreAsync(3, key);
        await DamageAsync(key);

        await UseAsync(async queue =>
        {
            Assert.Equal(2, (await queue.ClaimAsync(new ClaimRequest(Name, 100), Cancel)).Items.Count);
            var held = Assert.Single((await queue.ListAsync(new ListRequest(Name, ItemState.Held), Cancel)).Value!.Items);
            Assert.Equal("item_damaged", held.Reason);
            Assert.Empty((await queue.ClaimAsync(new ClaimRequest(Name, 100), Cancel)).Items);
            return 0;
        }, key);
    }

    [Fact]
    public async Task Open_JournalWithDeadItems_ShowsThemByTheGaugeBeforeAnythingHappens()
    {
        await StoreAsync(2);
        await UseAsync(async queue =>
        {
            foreach (var item in (await queue.ClaimAsync(new ClaimRequest(Name, 2), Cancel)).Items)
            {
                await queue.FinishAsync(item.Lease, Finish.Dead("refused"), Cancel);
            }

            return 0;
        });

        var registry = Prometheus.Metrics.NewCustomRegistry();
        var scraped = await UseAsync(async (_, _) => await ScrapeAsync(registry), registry);

        Assert.Contains("""sendproxy_queue_items{queue="deliveries",state="dead"} 2""", scraped, StringComparison.Ordinal);
    }

    private static NewItem Item() => new() { Queue = Name, Route = "app", Body = new byte[20], Metadata = new byte[8] };

    private static string IdOf(string path) => Convert.ToHexStringLower(SHA256.HashData(Convert.FromBase64String(File.ReadAllText(path)))[..8]);

    private static async Task<long> CountAsync(SqliteMessageQueue queue, ItemState state) =>
        (await queue.CountsAsync(Name, Cancel)).Value!.Where(count => count.State == state).Sum(count => count.Items);

    private string NewKey(string name)
    {
        Directory.CreateDirectory(Folder);
        var path = Path.Combine(Folder, name);
        File.WriteAllText(path, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        return path;
    }

    private Task<int> StoreAsync(int items, params string[] keys) => UseAsync(
        async queue => (await queue.EnqueueAsync([.. Enumerable.Range(0, items).Select(_ => Item())], Cancel)).Count(r => r.Verdict == EnqueueVerdict.Stored),
        keys);

    private Task<JournalResult<int>> DamageAsync(string key) => UseAsync(
        async (_, journal) => await journal.WriteAsync(
            session => session.Execute("UPDATE item SET body = zeroblob(length(body)) WHERE seq = 2"), 0, Cancel),
        Prometheus.Metrics.NewCustomRegistry(), key);

    private static async Task<string> ScrapeAsync(CollectorRegistry registry)
    {
        using var stream = new MemoryStream();
        await registry.CollectAndExportAsTextAsync(stream, Cancel);
        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    private Task<T> UseAsync<T>(Func<SqliteMessageQueue, Task<T>> use, params string[] keys) => UseAsync((queue, _) => use(queue), Prometheus.Metrics.NewCustomRegistry(), keys);

    private async Task<T> UseAsync<T>(Func<SqliteMessageQueue, SqliteJournal, Task<T>> use, CollectorRegistry registry, params string[] keys)
    {
        var factory = Prometheus.Metrics.WithCustomRegistry(registry);
        var options = _options with { SealKeys = keys };
        await using var journal = SqliteJournal.Open(options.ToSqlite(), new JournalMetrics(factory), TimeProvider.System);
        await using var queue = await SqliteMessageQueue.OpenAsync(options, journal, factory, TimeProvider.System, NullLogger.Instance, Cancel);
        return await use(queue, journal);
    }
}
