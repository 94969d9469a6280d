using Microsoft.Extensions.Time.Testing;
using SendProxy.Secrets.Sealing;
using SendProxy.Sending.Idempotency;
using SendProxy.Sqlite;

namespace SendProxy.Tests.Sending;

public sealed class SqliteIdempotencyStoreTests : IdempotencyStoreContract, IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.FromUnixTimeSeconds(1_800_000_000));
    private readonly string _folder = Directory.CreateTempSubdirectory("sendproxy-keys-").FullName;
    private SqliteJournal _journal;
    private SqliteIdempotencyStore _store;

    public SqliteIdempotencyStoreTests() => (_journal, _store) = Open();

    private protected override IIdempotencyStore Store => _store;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Recover_RunningRecord_IsClaimedAtOnce()
    {
        var claim = new IdempotencyKeyClaim(new IdempotencyKeyScope("sendapi", "", "a"), new byte[32], TimeSpan.FromHours(1), TimeSpan.FromHours(24));
        await _store.ClaimAsync(claim, Token);
        var claimedAt = _time.GetUtcNow();
        await ReopenAsync();

        var heir = await _store.ClaimAsync(claim, Token);

        Assert.Equal((ClaimVerdict.Owned, claimedAt), (heir.Verdict, heir.StartedAt));
    }

    [Fact]
    public async Task Sweep_OutlivedRecords_AreForgottenInSteps()
    {
        for (var i = 0; i < 5; i++)
        {
            await _store.ClaimAsync(new IdempotencyKeyClaim(new IdempotencyKeyScope("sendapi", "", $"{i}"), new byte[32], TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)), Token);
        }

        Assert.Equal(0, await _store.SweepAsync(3, Token));
        _time.Advance(TimeSpan.FromMinutes(1));

        Assert.Equal([3, 2, 0], [await _store.SweepAsync(3, Token), await _store.SweepAsync(3, Token), await _store.SweepAsync(3, Token)]);
    }

    [Fact]
    public async Task File_Records_HoldNeitherKeyNorAnswerInClear()
    {
        var claim = new IdempotencyKeyClaim(new IdempotencyKeyScope("sendapi", "", "order-of-alice"), new byte[32], TimeSpan.FromHours(1), TimeSpan.FromHours(24));
        var owned = await _store.ClaimAsync(claim, Token);
        await _store.EndAsync(claim.Scope, owned.Token, IdempotencyRecordEnd.Finished, new StoredResponse(200, [], "the answer to alice"u8.ToArray()), null, Token);
        await _journal.DisposeAsync();

        var text = string.Concat(Directory.GetFiles(_folder, "*.db*").Select(f => System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(f))));

        Assert.DoesNotContain("alice", text, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        await _journal.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private protected override Task AdvanceAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }

    private async Task ReopenAsync()
    {
        await _journal.DisposeAsync();
        (_journal, _store) = Open();
        await _store.RecoverAsync(Token);
    }

    private (SqliteJournal Journal, SqliteIdempotencyStore Store) Open()
    {
        var metrics = new JournalMetrics(Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry()));
        var path = Path.Combine(_folder, "keys.db");
        var journal = SqliteJournal.Open(new SqliteJournalOptions { Path = path, AllowEphemeral = true }, metrics, TimeProvider.System);
        return (journal, new SqliteIdempotencyStore(journal, new ItemSeal(SealKeys.LoadOrCreate(path + ".key", File.Exists(path + ".key"))), _time));
    }
}
