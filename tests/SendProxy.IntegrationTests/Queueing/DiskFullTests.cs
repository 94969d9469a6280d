using Microsoft.Extensions.Logging.Abstractions;
using SendProxy.Queueing;
using SendProxy.Queueing.Sqlite;
using SendProxy.Sqlite;

namespace SendProxy.IntegrationTests.Queueing;

/// <summary>
/// P3: on a disk that is really full storing fails as a value, nothing acknowledged is lost, and it heals.
/// </summary>
public sealed class DiskFullTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Enqueue_DiskFull_FailsUntilThereIsSpaceAndLosesNothing()
    {
        await using var disk = await SmallDisk.MountAsync(mebibytes: 4);
        Assert.SkipWhen(disk is null, "This process may not mount a small file system.");
        var filler = Path.Combine(disk.Path, "filler");
        await File.WriteAllBytesAsync(filler, new byte[2 << 20], Cancel);
        var options = new JournalOptions
        {
            Path = Path.Combine(disk.Path, "journal.db"),
            AllowEphemeral = true,
            Minimum = Durability.Memory,
        };
        var stored = new List<Guid>();

        await UseAsync(options, async queue =>
        {
            // Eight at once until a batch does not fit, then one by one until not even one does.
            Assert.Equal(EnqueueResult.Failed(QueueError.DiskFull), await FillAsync(queue, stored, atOnce: 8));
            Assert.Equal(EnqueueResult.Failed(QueueError.DiskFull), await FillAsync(queue, stored, atOnce: 1));

            File.Delete(filler);
            var healed = (await queue.EnqueueAsync([Item()], Cancel))[0];
            Assert.Equal(EnqueueVerdict.Stored, healed.Verdict);
            stored.Add(healed.Id);
        });

        await UseAsync(options, async queue =>
        {
            var claimed = await queue.ClaimAsync(new ClaimRequest("outbox", 1000), Cancel);
            Assert.Equal(stored.Order(), claimed.Items.Select(item => item.Item.Id).Order());
        });
    }

    [Fact]
    public async Task Open_DiskFullAfterAKill_OpensAndHealsByItself()
    {
        await using var disk = await SmallDisk.MountAsync(mebibytes: 4);
        Assert.SkipWhen(disk is null, "This process may not mount a small file system.");
        var options = new JournalOptions { Path = Path.Combine(disk.Path, "journal.db"), AllowEphemeral = true, Minimum = Durability.Memory };
        HashSet<Guid> acknowledged;
        await using (var process = await QueueProcess.StartAsync(options.Path, writers: 4, "commit", Cancel))
        {
            acknowledged = await process.KillAfterAsync(50, Cancel);
        }

        var filler = disk.Fill();

        await UseAsync(options, async queue =>
        {
            Assert.Equal(EnqueueResult.Failed(QueueError.DiskFull), (await queue.EnqueueAsync([Item()], Cancel))[0]);
            Assert.Equal(QueueError.DiskFull, (await queue.ClaimAsync(new ClaimRequest("outbox", 1), Cancel)).Error);

            File.Delete(filler);
            var found = new HashSet<Guid>();
            while (!acknowledged.IsSubsetOf(found))
            {
                var claimed = await queue.ClaimAsync(new ClaimRequest("outbox", 1000), Cancel);
                found.UnionWith(claimed.Items.Select(item => item.Item.Id));
                Assert.True(claimed.Error is not null || claimed.Items.Count > 0, "An acknowledged item is missing.");
                if (claimed.Error is not null)
                {
                    await queue.WaitForWorkAsync("outbox", claimed, Cancel).AsTask().WaitAsync(ProxyProcess.Guard, Cancel);
                }
            }
        });
    }

    private static NewItem Item() => new() { Queue = "outbox", Route = "sms", Body = new byte[20_000] };

    private static async Task<EnqueueResult> FillAsync(IMessageQueue queue, List<Guid> stored, int atOnce)
    {
        while (true)
        {
            var results = await Task.WhenAll(
                Enumerable.Range(0, atOnce).Select(async _ => (await queue.EnqueueAsync([Item()], Cancel))[0]));
            stored.AddRange(
                results.Where(result => result.Verdict == EnqueueVerdict.Stored).Select(result => result.Id));
            if (Array.Find(results, result => result.Verdict != EnqueueVerdict.Stored) is { Error: not null } failed)
            {
                return failed;
            }
        }
    }

    private static async Task UseAsync(JournalOptions options, Func<IMessageQueue, Task> use)
    {
        var factory = Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry());
        await using var journal =
            SqliteJournal.Open(options.ToSqlite(), new JournalMetrics(factory), TimeProvider.System);
        await using var queue =
            await SqliteMessageQueue.OpenAsync(options, journal, factory, TimeProvider.System, NullLogger.Instance, Cancel);
        await use(queue);
    }
}
