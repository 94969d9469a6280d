using SendProxy.Sqlite;

namespace SendProxy.Tests.Sqlite;

public sealed class SqliteJournalFullTests
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(10);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Write_FileAtItsBound_FailsTheWholeBatchAndHealsWithSpace()
    {
        await using var test = await JournalUnderTest.OpenAsync(
            JournalUnderTest.NewOptions() with { MaxBytes = 1 << 20 });
        await test.InsertAsync(1, bytes: 600_000);
        var undone = 0;
        var results = await Task.WhenAll(
            test.WriteAsync(session =>
            {
                session.OnRolledBack(() => undone++);
                return session.Execute("INSERT INTO number (n) VALUES (2)");
            }),
            test.InsertAsync(3, bytes: 600_000)).WaitAsync(Guard, Cancel);

        // In one batch both fail; when the first was committed alone it stands. Either way no caller was told wrong.
        Assert.Equal(JournalError.BoundReached, results[1].Error);
        Assert.Equal(results[0].Error is null ? [1, 2] : [1], await test.NumbersAsync());
        Assert.Equal(results[0].Error is null ? 0 : 1, undone);
        Assert.Contains(
            "sendproxy_journal_errors_total{kind=\"bound\"} 1", await test.ScrapeAsync(), StringComparison.Ordinal);

        await test.WriteAsync(session => session.Execute("DELETE FROM number WHERE n = 1"));
        Assert.Null((await test.InsertAsync(3, bytes: 600_000)).Error);
    }

    [Fact]
    public async Task Write_FullInTheMiddleOfABatch_NoCallerOfItIsToldStored()
    {
        await using var test = await JournalUnderTest.OpenAsync(
            JournalUnderTest.NewOptions() with { MaxBytes = 1 << 20 });
        using var gate = new ManualResetEventSlim();
        var begun = new TaskCompletionSource();
        var blocking = test.WriteAsync(_ =>
        {
            begun.SetResult();
            return gate.Wait(Guard);
        });
        await begun.Task.WaitAsync(Guard, Cancel);
        Task<JournalResult<int>>[] batch =
            [test.InsertAsync(1), test.InsertAsync(2, bytes: 2_000_000), test.InsertAsync(3)];
        gate.Set();
        await blocking.WaitAsync(Guard, Cancel);

        var results = await Task.WhenAll(batch).WaitAsync(Guard, Cancel);

        Assert.All(results, result => Assert.Equal(JournalError.BoundReached, result.Error));
        Assert.Empty(await test.NumbersAsync());
        Assert.Null((await test.InsertAsync(1)).Error);
    }
}
