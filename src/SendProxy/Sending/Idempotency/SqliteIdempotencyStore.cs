using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using SendProxy.Secrets.Sealing;
using SendProxy.Sqlite;

namespace SendProxy.Sending.Idempotency;

/// <summary>
/// Records of keys in the journal's file. One process owns it: what was running when the last one died has no owner, and is
/// claimed again at once (<see cref="RecoverAsync"/>).
/// </summary>
internal sealed class SqliteIdempotencyStore(SqliteJournal journal, ItemSeal seal, TimeProvider time) : IIdempotencyStore
{
    private const string Select = "SELECT fingerprint, state, token, leased, started, expires, answer FROM idempotency WHERE id = ?1";
    private const string Insert = "INSERT INTO idempotency (id, fingerprint, state, token, leased, expires) VALUES (?1, ?2, 0, ?3, ?4, ?5)";
    private const string Take = "UPDATE idempotency SET state = 0, token = ?2, leased = ?3 WHERE id = ?1";
    private const string Delete = "DELETE FROM idempotency WHERE id = ?1";
    private const string End = "UPDATE idempotency SET state = ?3, answer = ?4, started = coalesce(started, ?5) WHERE id = ?1 AND token = ?2 AND state = 0";
    private const string Recover = "UPDATE idempotency SET leased = 0 WHERE state = 0";
    private const string Sweep = "DELETE FROM idempotency WHERE id IN (SELECT id FROM idempotency WHERE expires <= ?1 ORDER BY expires LIMIT ?2)";
    private const string Answers = "SELECT id, substr(answer, 1, 9) FROM idempotency WHERE id > ?1 AND expires > ?2 ORDER BY id LIMIT ?3";
    private const string Queue = "idempotency";
    private const int CountedAtOnce = 500;
    private const int Running = 0;
    private const int Finished = 1;
    private const int Unknown = 3;

    // A waiting request that missed the end of the record asks again after this time.
    private static readonly TimeSpan WaitBound = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, TaskCompletionSource> _ends = new(StringComparer.Ordinal);
    private long _lastToken = time.GetUtcNow().ToUnixTimeMilliseconds() * 1000;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>To be called once, before the first claim.</summary>
    public async Task RecoverAsync(CancellationToken cancellation) =>
        await journal.LoadAsync(session => session.Execute(Recover), cancellation);

    public async ValueTask<ClaimResult> ClaimAsync(IdempotencyKeyClaim claim, CancellationToken cancellation)
    {
        var id = Id(claim.Scope);
        var token = Interlocked.Increment(ref _lastToken);
        var result = await journal.WriteAsync(session => ClaimIn(session, id, claim, token), claim.Fingerprint.Length + 128, cancellation);
        return result.Error is null ? result.Value! : ClaimResult.Unavailable;
    }

    public async ValueTask<bool> EndAsync(
        IdempotencyKeyScope scope, long token, IdempotencyRecordEnd end, StoredResponse? answer, DateTimeOffset? started, CancellationToken cancellation)
    {
        var id = Id(scope);
        var stored = answer is null ? null : seal.Seal(answer.Serialize(), Context(id, scope));
        var state = end switch
        {
            IdempotencyRecordEnd.Finished => Finished,
            IdempotencyRecordEnd.Open => 2,
            _ => Unknown,
        };
        var result = await journal.WriteAsync(
            session => session.Execute(End, id, token, state, stored, started?.ToUnixTimeMilliseconds()), stored?.Length ?? 0, cancellation);
        if (_ends.TryRemove(scope.ToString(), out var waiting))
        {
            waiting.TrySetResult();
        }

        return result is { Error: null, Value: 1 };
    }

    public async Task WaitAsync(IdempotencyKeyScope scope, CancellationToken cancellation)
    {
        var end = _ends.GetOrAdd(scope.ToString(), _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await end.Task.WaitAsync(WaitBound, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ends.TryRemove(new(scope.ToString(), end));
    }

    /// <summary>Forgets up to <paramref name="max"/> records whose lifetime is over.</summary>
    /// <returns>How many; null when the store could not be asked.</returns>
    public async ValueTask<int?> SweepAsync(int max, CancellationToken cancellation)
    {
        var swept = await journal.WriteAsync(session => session.Execute(Sweep, Now, max), 0, cancellation);
        return swept.Error is null ? swept.Value : null;
    }

    /// <summary>Counts the recorded answers by the seal key that each needs; a few at a time, so that no commit waits long.</summary>
    /// <returns>Null when the store could not be asked.</returns>
    public async Task<IReadOnlyDictionary<SealKeyId, long>?> AnswersByKeyAsync(CancellationToken cancellation)
    {
        var counts = new Dictionary<SealKeyId, long>();
        byte[]? after = [];
        while (after is not null)
        {
            var last = after;
            var read = await journal.ReadAsync(session => CountAnswers(session, last, counts), cancellation);
            if (read.Error is not null)
            {
                return null;
            }

            after = read.Value;
        }

        return counts;
    }

    private static byte[] Id(IdempotencyKeyScope scope) => SHA256.HashData(Encoding.UTF8.GetBytes(scope.ToString()));

    private static SealContext Context(byte[] id, IdempotencyKeyScope scope) =>
        new(Queue, new Guid(id.AsSpan(0, 16), bigEndian: true), scope.Upstream, SealPart.Response);

    private ClaimResult ClaimIn(SqliteSession session, byte[] id, IdempotencyKeyClaim claim, long token)
    {
        var now = Now;
        var leased = now + (long)claim.Lease.TotalMilliseconds;
        if (Read(session, id) is not { } record || record.Expires <= now)
        {
            session.Execute(Delete, id);
            session.Execute(Insert, id, claim.Fingerprint, token, leased, now + (long)claim.Lifetime.TotalMilliseconds);
            return new ClaimResult(ClaimVerdict.Owned, token);
        }

        if (!record.Fingerprint.AsSpan().SequenceEqual(claim.Fingerprint))
        {
            return new ClaimResult(ClaimVerdict.Mismatch);
        }

        if (record.State == Finished)
        {
            // An answer that does not open any more (its key was taken away) is as good as none; the vendor still knows the key.
            return seal.TryOpen(record.Response!, Context(id, claim.Scope), out var plain) && StoredResponse.Parse(plain) is { } answer
                ? new ClaimResult(ClaimVerdict.Finished, Response: answer)
                : new ClaimResult(ClaimVerdict.Unknown);
        }

        if (record.State == Unknown)
        {
            return new ClaimResult(ClaimVerdict.Unknown);
        }

        if (record.State == Running && record.Leased > now)
        {
            return new ClaimResult(ClaimVerdict.Running);
        }

        session.Execute(Take, id, token, leased);

        // An owner that died may have sent something at any time since its claim.
        var since = record.Started ?? (record.State == Running ? record.Expires - (long)claim.Lifetime.TotalMilliseconds : null);
        return new ClaimResult(ClaimVerdict.Owned, token, since is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null);
    }

    /// <returns>The last id that was looked at; null at the end.</returns>
    private byte[]? CountAnswers(SqliteSession session, byte[] after, Dictionary<SealKeyId, long> counts)
    {
        var seen = 0;
        using var rows = session.Query(Answers, after, Now, CountedAtOnce);
        while (rows.Read())
        {
            (after, seen) = (rows.Bytes(0), seen + 1);
            if (rows.BytesOrNull(1) is { } answer)
            {
                var key = ItemSeal.KeyOf(answer);
                counts[key] = counts.GetValueOrDefault(key) + 1;
            }
        }

        return seen == CountedAtOnce ? after : null;
    }

    private static Row? Read(SqliteSession session, byte[] id)
    {
        using var row = session.Query(Select, id);
        return row.Read()
            ? new Row(
                row.Bytes(0), row.Int(1), row.Number(3), row.NumberOrNull(4),
                row.Number(5), row.BytesOrNull(6))
            : null;
    }

    private sealed record Row(byte[] Fingerprint, int State, long Leased, long? Started, long Expires, byte[]? Response);
}
