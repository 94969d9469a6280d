using Microsoft.Extensions.Logging.Abstractions;
using SendProxy.IntegrationTests.Queueing;
using SendProxy.Queueing;
using SendProxy.Queueing.Sqlite;
using SendProxy.Sqlite;

namespace SendProxy.IntegrationTests.Issues;

/// <summary>What was stored and is gone is noticed at the start, with a remedy: SQLite itself would begin anew without a word.</summary>
public sealed class JournalLossTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("sendproxy-loss").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Journal => Path.Combine(_directory, "journal.db");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Open_FileEmptiedBesideItsLogAfterAKill_IsRefusedAndTheLogIsKept()
    {
        await KillAsync();
        var log = new FileInfo(Journal + "-wal").Length;
        File.WriteAllBytes(Journal, []);

        var refused = await RefusedAsync();

        Assert.Contains($"is empty or gone, while its write-ahead log of {log} bytes is there", refused, StringComparison.Ordinal);
        Assert.Equal(log, new FileInfo(Journal + "-wal").Length);
    }

    [Fact]
    public async Task Open_FileGoneBesideItsLogAfterAKill_IsRefused()
    {
        await KillAsync();
        File.Delete(Journal);

        Assert.Contains("is empty or gone, while its write-ahead log", await RefusedAsync(), StringComparison.Ordinal);
        Assert.False(File.Exists(Journal));
    }

    [Fact]
    public async Task Open_LogGoneAfterAKill_IsRefused()
    {
        await KillAsync();
        File.Delete(Journal + "-wal");

        Assert.Contains("was not closed in order, and its write-ahead log", await RefusedAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_FileGoneAfterAnOrderlyEnd_IsRefused()
    {
        await StoreAsync(3);
        await StoreAsync(3);
        File.Delete(Journal);

        Assert.Contains("is empty or gone, and it was opened 2 times before", await RefusedAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_OlderCopy_IsRefusedUntilThatIsMeant()
    {
        await StoreAsync(3);
        File.Copy(Journal, Journal + ".backup");
        await StoreAsync(2);
        File.Copy(Journal + ".backup", Journal, overwrite: true);

        Assert.Contains("is an older copy: it was opened once, and the one that was here was opened 2 times", await RefusedAsync(), StringComparison.Ordinal);
        File.Delete(JournalGeneration.PathOf(Journal));
        Assert.Equal(3, await ClaimAsync());
    }

    [Fact]
    public async Task Open_AnotherJournal_IsRefused()
    {
        await StoreAsync(3);
        File.Move(Journal, Journal + ".first");
        File.Move(JournalGeneration.PathOf(Journal), Journal + ".first.generation");
        await StoreAsync(1);
        File.Move(Journal + ".first", Journal, overwrite: true);

        Assert.Contains("is another journal", await RefusedAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_EverythingMovedAway_BeginsAnew()
    {
        await KillAsync();
        var away = Directory.CreateDirectory(Path.Combine(_directory, "away"));
        foreach (var file in Directory.GetFiles(_directory, "journal.db*"))
        {
            File.Move(file, Path.Combine(away.FullName, Path.GetFileName(file)));
        }

        Assert.Equal(0, await ClaimAsync());
        Assert.Equal(1, JournalGeneration.Read(Journal)!.Number);
    }

    [Fact]
    public async Task Open_AfterKillsAndOrderlyEnds_CountsThemAndLosesNothing()
    {
        var acknowledged = await KillAsync();
        await StoreAsync(1);
        acknowledged += await KillAsync();

        Assert.True(await ClaimAsync() >= acknowledged + 1);
        Assert.Equal(new JournalGeneration(JournalGeneration.Read(Journal)!.Journal, 4, IsRunning: false), JournalGeneration.Read(Journal));
    }

    private async Task<int> KillAsync()
    {
        await using var process = await QueueProcess.StartAsync(Journal, writers: 4, "commit", Cancel);
        return (await process.KillAfterAsync(50, Cancel)).Count;
    }

    private async Task<string> RefusedAsync() =>
        (await Assert.ThrowsAsync<JournalUnavailableException>(() => UseAsync(_ => Task.FromResult(0)))).Message;

    private Task<int> StoreAsync(int items) => UseAsync(async queue => (await queue.EnqueueAsync(
        [.. Enumerable.Range(0, items).Select(_ => new NewItem { Queue = "outbox", Route = "sms", Body = new byte[10] })], Cancel)).Count);

    private Task<int> ClaimAsync() => UseAsync(async queue => (await queue.ClaimAsync(new ClaimRequest("outbox", 100_000), Cancel)).Items.Count);

    private async Task<int> UseAsync(Func<IMessageQueue, Task<int>> use)
    {
        var options = new JournalOptions { Path = Journal, AllowEphemeral = true, Minimum = Durability.Memory };
        var factory = Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry());
        await using var journal = SqliteJournal.Open(options.ToSqlite(), new JournalMetrics(factory), TimeProvider.System);
        await using var queue = await SqliteMessageQueue.OpenAsync(options, journal, factory, TimeProvider.System, NullLogger.Instance, Cancel);
        return await use(queue);
    }
}
