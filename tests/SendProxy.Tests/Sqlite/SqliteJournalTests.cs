using SendProxy.Sqlite;

namespace SendProxy.Tests.Sqlite;

public sealed class SqliteJournalTests : IAsyncLifetime
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(10);
    private JournalUnderTest _test = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _test = await JournalUnderTest.OpenAsync(JournalUnderTest.NewOptions());

    public ValueTask DisposeAsync() => _test.DisposeAsync();

    /// <summary>Keeps the journal's thread busy, so that what is handed in meanwhile is one batch.</summary>
    private async Task<ManualResetEventSlim> BlockAsync()
    {
        var (begun, gate) = (new TaskCompletionSource(), new ManualResetEventSlim());
        _ = _test.WriteAsync(_ =>
        {
            begun.SetResult();
            return gate.Wait(Guard);
        });
        await begun.Task.WaitAsync(Guard, Cancel);
        return gate;
    }

    [Fact]
    public async Task Write_ManyWaiting_AreOneCommit()
    {
        var before = Commits(await _test.ScrapeAsync());
        using var gate = await BlockAsync();
        var waiting = Enumerable.Range(0, 100).Select(i => _test.InsertAsync(i)).ToArray();
        gate.Set();

        await Task.WhenAll(waiting).WaitAsync(Guard, Cancel);

        Assert.Equal(before + 2, Commits(await _test.ScrapeAsync()));
        Assert.Equal(100, (await _test.NumbersAsync()).Length);
    }

    [Fact]
    public async Task Write_OneOfABatchFails_OnlyItsCallerIsToldAndOnlyItsChangesUndone()
    {
        var standing = 0;
        var told = 0;
        using var gate = await BlockAsync();
        var first = _test.InsertAsync(1);
        var failing = _test.WriteAsync(session =>
        {
            session.Execute("INSERT INTO number (n) VALUES (2)");
            standing++;
            session.OnRolledBack(() => standing--);
            session.OnCommitted(() => told++);
            return session.Execute("INSERT INTO number (n) VALUES (1)");
        });
        var throwing = _test.WriteAsync<int>(session =>
        {
            session.Execute("INSERT INTO number (n) VALUES (3)");
            throw new InvalidOperationException("defect");
        });
        var last = _test.InsertAsync(4);
        gate.Set();

        await Assert.ThrowsAsync<Microsoft.Data.Sqlite.SqliteException>(() => failing.WaitAsync(Guard, Cancel));
        await Assert.ThrowsAsync<InvalidOperationException>(() => throwing.WaitAsync(Guard, Cancel));
        Assert.Null((await first).Error);
        Assert.Null((await last).Error);
        var numbers = await _test.NumbersAsync();
        Assert.Equal([1, 4], numbers);
        Assert.Equal((0, 0), (standing, told));
        Assert.Contains(
            "sendproxy_journal_errors_total{kind=\"defect\"} 2", await _test.ScrapeAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_CancelledWhileWaiting_IsNotRun()
    {
        using var cancelled = new CancellationTokenSource();
        using var gate = await BlockAsync();
        var waiting = _test.Journal.WriteAsync(
            session => session.Execute("INSERT INTO number (n) VALUES (1)"), 0, cancelled.Token);
        await cancelled.CancelAsync();
        gate.Set();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Guard, Cancel));
        Assert.Empty(await _test.NumbersAsync());
    }

    [Fact]
    public async Task Write_BatchBeyondItsBytes_IsSplit()
    {
        var before = Commits(await _test.ScrapeAsync());
        using var gate = await BlockAsync();
        var waiting = Enumerable.Range(0, 4).Select(i => _test.Journal.WriteAsync(
            session => session.Execute("INSERT INTO number (n) VALUES (?1)", i), 3 << 20, Cancel)).ToArray();
        gate.Set();

        await Task.WhenAll(waiting).WaitAsync(Guard, Cancel);

        Assert.Equal(before + 3, Commits(await _test.ScrapeAsync()));
    }

    [Fact]
    public async Task Read_ManyBatchesWaiting_RunsAfterOneCommit()
    {
        var order = new List<string>();
        using var gate = await BlockAsync();
        var writes = Enumerable.Range(0, 300).Select(i => _test.WriteAsync(_ =>
        {
            order.Add("write");
            return 0;
        })).ToArray();
        var read = _test.Journal.ReadAsync(
            _ =>
            {
                order.Add("read");
                return 0;
            },
            Cancel);
        gate.Set();

        await Task.WhenAll([read, .. writes]).WaitAsync(Guard, Cancel);

        Assert.Equal(0, order.IndexOf("read"));
    }

    [Fact]
    public async Task Dispose_WorkHandedIn_IsDoneFirstAndLaterWorkIsClosed()
    {
        using var gate = await BlockAsync();
        var waiting = _test.InsertAsync(1);
        var closing = _test.Journal.DisposeAsync().AsTask();
        gate.Set();

        Assert.Null((await waiting.WaitAsync(Guard, Cancel)).Error);
        await closing.WaitAsync(Guard, Cancel);
        Assert.Equal(JournalError.Closed, (await _test.InsertAsync(2)).Error);
    }

    private static int Commits(string scrape) => int.Parse(
        scrape.Split('\n').Single(line => line.StartsWith("sendproxy_journal_commits_total ", StringComparison.Ordinal))
            .Split(' ')[1],
        System.Globalization.CultureInfo.InvariantCulture);
}
