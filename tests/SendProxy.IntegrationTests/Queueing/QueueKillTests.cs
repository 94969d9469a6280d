using Microsoft.Extensions.Logging.Abstractions;
using SendProxy.Queueing;
using SendProxy.Queueing.Sqlite;
using SendProxy.Sqlite;

namespace SendProxy.IntegrationTests.Queueing;

/// <summary>P3: what was acknowledged is there after the process was killed in the middle of its work.</summary>
public sealed class QueueKillTests : IDisposable
{
    private const int Rounds = 3;
    private readonly string _directory = Directory.CreateTempSubdirectory("sendproxy-kill").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Journal => Path.Combine(_directory, "journal.db");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Kill_InMidEnqueue_EveryAcknowledgedItemIsThereAndOpens()
    {
        var acknowledged = new HashSet<Guid>();
        for (var round = 0; round < Rounds; round++)
        {
            await using var process = await QueueProcess.StartAsync(Journal, writers: 32, "commit", Cancel);
            acknowledged.UnionWith(await process.KillAfterAsync(300 + (round * 71), Cancel));
        }

        Assert.Empty(acknowledged.Except(await StoredAsync()));
    }

    [Fact]
    public async Task Kill_OfAProcessThatAcknowledgesBeforeItCommits_IsNoticed()
    {
        // A kill between acknowledgement and commit is likely, not certain: some rounds.
        for (var round = 0; round < 10 * Rounds; round++)
        {
            await using var process = await QueueProcess.StartAsync(Journal, writers: 256, "early", Cancel);
            var acknowledged = await process.KillAfterAsync(300, Cancel);
            if (acknowledged.Except(await StoredAsync()).Any())
            {
                return;
            }
        }

        Assert.Fail("Items were acknowledged too early in every round, and the test did not notice.");
    }

    /// <returns>Ids of the items that are handed out with the body they were stored with.</returns>
    private async Task<HashSet<Guid>> StoredAsync()
    {
        var options = new JournalOptions { Path = Journal, AllowEphemeral = true, Minimum = Durability.Memory };
        var factory = Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry());
        await using var journal =
            SqliteJournal.Open(options.ToSqlite(), new JournalMetrics(factory), TimeProvider.System);
        await using var queue =
            await SqliteMessageQueue.OpenAsync(options, journal, factory, TimeProvider.System, NullLogger.Instance, Cancel);
        var stored = new HashSet<Guid>();
        while ((await queue.ClaimAsync(new ClaimRequest("outbox", 1000), Cancel)).Items is { Count: > 0 } claimed)
        {
            foreach (var item in claimed)
            {
                Assert.Equal(item.Item.Id.ToByteArray(), item.Body.ToArray());
                stored.Add(item.Item.Id);
            }
        }

        return stored;
    }
}
