using Microsoft.Extensions.Logging;
using SendProxy.Queueing;
using SendProxy.Queueing.Sqlite;
using SendProxy.Sqlite;
using SendProxy.Tests.Queueing;

namespace SendProxy.Tests.Issues;

/// <summary>What a disk did to a large journal is told by name and number, and costs what it touched, nothing else.</summary>
public sealed class FlippedBytesTests : IDisposable
{
    private const string Name = "deliveries";
    private const int Items = 40;
    private readonly JournalOptions _options = SqliteQueueUnderTest.NewOptions();
    private readonly Lines _lines = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_options.Path)!, recursive: true);

    [Fact]
    public async Task Check_64BytesFlippedAbove32MiB_NamesTheItemAndTheOthersGoOn()
    {
        var ids = await UseAsync(async queue => (await queue.EnqueueAsync([.. Enumerable.Range(0, Items).Select(_ => Item())], Cancel)).Select(r => r.Id).ToArray());
        Assert.True(new FileInfo(_options.Path).Length > 32 << 20);
        FlipInTheMiddle();

        var (check, handedOut, held) = await UseAsync(async queue =>
        {
            var check = await CheckAllAsync(queue);
            var handedOut = new List<Guid>();
            ClaimResult claimed;
            do
            {
                claimed = await queue.ClaimAsync(new ClaimRequest(Name, 4), Cancel);
                Assert.Null(claimed.Error);
                handedOut.AddRange(claimed.Items.Select(item => item.Item.Id));
            }
            while (handedOut.Count < Items - 1);
            var page = await queue.ListAsync(new ListRequest(Name, ItemState.Held), Cancel);
            return (check, handedOut, page.Value!.Items);
        });

        var damaged = Assert.Single(ids.Except(handedOut));
        Assert.Equal((Items, 1, 0), (check.Items, check.Damaged, check.Lost));
        Assert.Equal((damaged, "item_damaged"), (Assert.Single(held).Id, held[0].Reason));
        Assert.All(_lines.All, line => Assert.Contains(damaged.ToString(), line, StringComparison.Ordinal));
        Assert.Equal(2, _lines.All.Count); // By the check, and by the claim.
    }

    [Fact]
    public async Task Check_RowGoneBesideItsIndexes_IsCountedAsLostByItsId()
    {
        var ids = await UseAsync(async queue => (await queue.EnqueueAsync(
            [Small(3000), Small(3000), Small(3000), .. Enumerable.Range(0, Items).Select(_ => Item())], Cancel)).Select(r => r.Id).ToArray());
        EmptyItsPage(ids[1]);

        var (check, counted) = await UseAsync(async queue => (await CheckAllAsync(queue), (await queue.SealKeysAsync(Cancel)).Value!.Sum(use => use.Items)));

        Assert.Equal(Items + 3, counted); // From the index alone: the row is not looked for.
        Assert.Equal((Items + 3, 0, 1), (check.Items, check.Damaged, check.Lost));
        Assert.Contains(ids[1].ToString(), Assert.Single(_lines.All), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_SeveralKeysAndManyItems_LooksAtEachOnce()
    {
        await UseAsync(async queue => await queue.EnqueueAsync([.. Enumerable.Range(0, 150).Select(_ => Small())], Cancel));

        Assert.Equal((150, 0, 0), await UseAsync(async queue => await CheckAllAsync(queue) is var all ? (all.Items, all.Damaged, all.Lost) : default));
        Assert.Empty(_lines.All);
    }

    [Theory]
    [InlineData(nameof(SealKeySql.Counts))]
    [InlineData(nameof(SealKeySql.OfKey))]
    [InlineData(nameof(SealKeySql.KeyFrom))]
    public async Task Statement_OfSealKeys_GoesByItsIndex(string name)
    {
        var sql = (string)typeof(SealKeySql).GetField(name)!.GetValue(null)!;

        var plan = await UseAsync(async (_, journal) => (await journal.ReadAsync(
            session =>
            {
                using var rows = session.Query("EXPLAIN QUERY PLAN " + sql);
                return rows.Read() ? rows.Text(3) : "";
            },
            Cancel)).Value!);

        Assert.Contains("item_seal_key", plan, StringComparison.Ordinal);
    }

    private static NewItem Item() => new() { Queue = Name, Route = "app", Body = new byte[1 << 20] };

    private static NewItem Small(int bytes = 10) => new() { Queue = Name, Route = "app", Body = new byte[bytes] };

    private static async Task<ItemCheck> CheckAllAsync(SqliteMessageQueue queue)
    {
        var all = new ItemCheck(0, 0, 0, null);
        string? cursor = null;
        do
        {
            var step = (await queue.CheckAsync(cursor, Cancel)).Value!;
            all = new ItemCheck(all.Items + step.Items, all.Damaged + step.Damaged, all.Lost + step.Lost, null);
            cursor = step.Next;
        }
        while (cursor is not null);
        return all;
    }

    private void FlipInTheMiddle()
    {
        using var file = new FileStream(_options.Path, FileMode.Open, FileAccess.ReadWrite);
        var bytes = new byte[64];
        file.Position = (file.Length / 2) + 100;
        file.ReadExactly(bytes);
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 0xff;
        }

        file.Position -= bytes.Length;
        file.Write(bytes);
    }

    // As a damaged page would: the row goes, its entries in the indexes stay. One item of 3,000 bytes has a page of its own.
    private void EmptyItsPage(Guid id)
    {
        const int PageBytes = 4096;
        var file = File.ReadAllBytes(_options.Path);
        for (var at = 0; at < file.Length; at += PageBytes)
        {
            var page = file.AsSpan(at, PageBytes);
            if (page[0] == 0x0d && page.IndexOf(id.ToByteArray(bigEndian: true)) > 0)
            {
                page.Slice(3, 2).Clear(); // How many rows there are.
            }
        }

        File.WriteAllBytes(_options.Path, file);
    }

    private Task<T> UseAsync<T>(Func<SqliteMessageQueue, Task<T>> use) => UseAsync((queue, _) => use(queue));

    private async Task<T> UseAsync<T>(Func<SqliteMessageQueue, SqliteJournal, Task<T>> use)
    {
        var factory = Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry());
        await using var journal = SqliteJournal.Open(_options.ToSqlite(), new JournalMetrics(factory), TimeProvider.System);
        await using var queue = await SqliteMessageQueue.OpenAsync(_options, journal, factory, TimeProvider.System, _lines, Cancel);
        return await use(queue, journal);
    }

    private sealed class Lines : ILogger
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Add(formatter(state, exception));
    }
}
