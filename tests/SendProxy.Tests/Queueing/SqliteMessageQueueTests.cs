using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using SendProxy.Queueing;
using SendProxy.Queueing.Sqlite;
using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;

namespace SendProxy.Tests.Queueing;

/// <summary>What only the SQLite store has: its key beside it, its file's bound, its durability.</summary>
public sealed class SqliteMessageQueueTests : IDisposable
{
    private const string Name = "outbox";
    private readonly JournalOptions _options = SqliteQueueUnderTest.NewOptions();
    private readonly CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_options.Path)!, recursive: true);

    private async Task<T> WithQueueAsync<T>(
        JournalOptions options, Func<SqliteMessageQueue, SqliteJournal, Task<T>> use)
    {
        var factory = Prometheus.Metrics.WithCustomRegistry(_registry);
        await using var journal =
            SqliteJournal.Open(options.ToSqlite(), new JournalMetrics(factory), TimeProvider.System);
        await using var queue =
            await SqliteMessageQueue.OpenAsync(options, journal, factory, TimeProvider.System, NullLogger.Instance, Cancel);
        return await use(queue, journal);
    }

    private static NewItem Item(int bytes = 10) => new() { Queue = Name, Route = "sms", Body = new byte[bytes] };

    private Task<Guid> StoreAsync(JournalOptions options) => WithQueueAsync(
        options, async (queue, _) => (await queue.EnqueueAsync([Item()], Cancel))[0].Id);

    private string NewKey(string name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_options.Path)!);
        var path = Path.Combine(Path.GetDirectoryName(_options.Path)!, name);
        File.WriteAllText(path, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        return path;
    }

    [Fact]
    public async Task Claim_BodyMovedFromAnotherItem_IsHeldAndNeverHandedOut()
    {
        var claimed = await WithQueueAsync(_options, async (queue, journal) =>
        {
            await queue.EnqueueAsync([Item(), Item()], Cancel);
            await journal.WriteAsync(
                session => session.Execute(
                    "UPDATE item SET body = (SELECT body FROM item AS other WHERE other.seq = 2) WHERE seq = 1"),
                0, Cancel);
            return await queue.ClaimAsync(new ClaimRequest(Name, 10), Cancel);
        });

        Assert.Single(claimed.Items);
    }

    [Fact]
    public async Task Open_AfterKeyRotation_OldItemsAreHandedOut()
    {
        var (old, fresh) = (NewKey("old"), NewKey("new"));
        var id = await StoreAsync(_options with { SealKeys = [old] });

        var claimed = await WithQueueAsync(
            _options with { SealKeys = [fresh, old] },
            async (queue, _) => await queue.ClaimAsync(new ClaimRequest(Name, 10), Cancel));

        Assert.Equal([id], claimed.Items.Select(item => item.Item.Id));
    }

    [Fact]
    public async Task Open_KeyBesideTheJournalGone_IsRefused()
    {
        await StoreAsync(_options);
        File.Delete(_options.Path + ".key");

        await Assert.ThrowsAsync<SealKeyUnavailableException>(() => StoreAsync(_options));
        Assert.False(File.Exists(_options.Path + ".key"));
    }

    [Fact]
    public async Task Open_LessDurableThanTheMinimum_IsRefusedByName()
    {
        Assert.SkipUnless(Directory.Exists("/dev/shm"), "Needs Linux with a tmpfs.");

        var refused = await Assert.ThrowsAsync<JournalUnavailableException>(
            () => StoreAsync(_options with { Minimum = Durability.Everysec }));

        Assert.Contains("keeps memory, and journal.minimum is everysec", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Journal_PlantedBody_IsInNoFileOfIt()
    {
        var item = Item() with { Body = "planted-body-text"u8.ToArray(), Metadata = "planted-metadata"u8.ToArray() };
        await WithQueueAsync(_options, async (queue, _) => await queue.EnqueueAsync([item], Cancel));

        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(_options.Path)!))
        {
            Assert.DoesNotContain(
                "planted-", System.Text.Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, Cancel)),
                StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Enqueue_FileAtItsBound_IsFullUntilSomethingIsDone()
    {
        await WithQueueAsync(_options with { MaxBytes = 4 << 20 }, async (queue, _) =>
        {
            EnqueueResult result;
            var stored = 0;
            while ((result = (await queue.EnqueueAsync([Item(200_000)], Cancel))[0]).Verdict == EnqueueVerdict.Stored)
            {
                stored++;
            }

            Assert.Equal(EnqueueVerdict.Full, result.Verdict);
            Assert.InRange(stored, 15, 19);

            var claimed = (await queue.ClaimAsync(new ClaimRequest(Name, 1), Cancel)).Items[0];
            var done = Finish.Done(new ItemResponse(200, new byte[50_000]));
            Assert.True((await queue.FinishAsync(claimed.Lease, done, Cancel)).IsDone);
            Assert.Equal(EnqueueVerdict.Stored, (await queue.EnqueueAsync([Item(200_000)], Cancel))[0].Verdict);
            return 0;
        });
    }

    [Fact]
    public async Task Enqueue_DiskFullInItsBatch_FailsCountsNothingAndHeals()
    {
        var options = _options with { MaxBytes = 4 << 20 };
        QueueCount[] counts = [new(ItemState.Queued, "sms", "", 2), new(ItemState.Queued, "sms", "new", 1)];
        NewItem[] items =
        [
            Item() with { Dedupe = new DedupeKey("source", "evt_1", TimeSpan.FromHours(48), 10) },
            Item() with { Group = "new" },
        ];
        await WithQueueAsync(options, async (queue, journal) =>
        {
            await queue.EnqueueAsync([Item()], Cancel);
            using var gate = new ManualResetEventSlim();
            var begun = new TaskCompletionSource();
            var blocking = journal.WriteAsync(
                _ =>
                {
                    begun.SetResult();
                    return gate.Wait(TimeSpan.FromSeconds(10));
                },
                0, Cancel);
            await begun.Task;
            var storing = queue.EnqueueAsync(items, Cancel).AsTask();
            var filling = journal.WriteAsync(
                session => session.Execute("CREATE TABLE fill AS SELECT zeroblob(8000000) AS b"), 0, Cancel);
            gate.Set();
            await blocking;

            Assert.All(await storing, result => Assert.Equal(EnqueueResult.Failed(QueueError.BoundReached), result));
            Assert.Equal(JournalError.BoundReached, (await filling).Error);
            Assert.Equal([counts[0] with { Items = 1 }], (await queue.CountsAsync(Name, Cancel)).Value!);
            Assert.All(
                await queue.EnqueueAsync(items, Cancel), result => Assert.Equal(EnqueueVerdict.Stored, result.Verdict));
            Assert.Equal(counts, (await queue.CountsAsync(Name, Cancel)).Value!);
            return 0;
        });
        Assert.Equal(
            counts, await WithQueueAsync(options, async (queue, _) => (await queue.CountsAsync(Name, Cancel)).Value!));
    }

    [Fact]
    public async Task Calls_AfterTheJournalClosed_AreFailuresNotExceptions()
    {
        var queue = await WithQueueAsync(_options, (queue, _) => Task.FromResult(queue));

        Assert.Equal(
            EnqueueResult.Failed(QueueError.StoreClosed), (await queue.EnqueueAsync([Item()], Cancel))[0]);
        Assert.Equal(
            QueueError.StoreClosed, (await queue.ClaimAsync(new ClaimRequest(Name, 1), Cancel)).Error);
        Assert.Equal(QueueError.StoreClosed, (await queue.GetAsync(Name, Guid.Empty, Cancel)).Error);
    }

    [Theory]
    [InlineData("Due", "item_ready")]
    [InlineData("NextDue", "item_ready")]
    [InlineData("Overdue", "item_expires")]
    [InlineData("NextExpires", "item_expires")]
    [InlineData("InFlight", "item_order")]
    [InlineData("AnyBefore", "item_order")]
    [InlineData("Head", "item_id")]
    [InlineData("List", "item_state")]
    [InlineData("Oldest", "item_state")]
    [InlineData("OldestFinished", "item_finished")]
    public async Task Statement_OnALargeTable_UsesItsIndexWithoutSorting(string name, string index)
    {
        var sql = (string)typeof(ItemSql).GetField(name)!.GetValue(null)!;

        var plan = await WithQueueAsync(_options, async (_, journal) => (await journal.ReadAsync(
            session =>
            {
                var steps = new List<string>();
                using var rows = session.Query("EXPLAIN QUERY PLAN " + sql);
                while (rows.Read())
                {
                    steps.Add(rows.Text(3));
                }

                return string.Join('\n', steps);
            },
            Cancel)).Value!);

        Assert.Contains(index, plan, StringComparison.Ordinal);
        Assert.DoesNotContain("TEMP B-TREE", plan, StringComparison.Ordinal);
    }
}
