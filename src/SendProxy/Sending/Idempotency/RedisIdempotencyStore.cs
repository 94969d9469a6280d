using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using SendProxy.Redis;
using SendProxy.Secrets.Sealing;
using StackExchange.Redis;

namespace SendProxy.Sending.Idempotency;

/// <summary>
/// Records of keys in the fleet's Redis: one hash for each, named by a hash of its scope, answers sealed. An owner that dies
/// leaves its record to whoever asks after the lease. docs/decisions/0010.
/// </summary>
internal sealed class RedisIdempotencyStore : IIdempotencyStore
{
    private const string Queue = "idempotency";
    private static readonly RedisScript Claim = RedisScript.Embedded("key_claim", "Sending/Idempotency/claim.lua");
    private static readonly RedisScript End = RedisScript.Embedded("key_end", "Sending/Idempotency/end.lua");

    // The end of a record is published, and such a message can be lost when a connection breaks. So waiters also ask by themselves,
    // at different times, so that many do not ask at once.
    private static readonly TimeSpan AskAgainMin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan AskAgainSpread = TimeSpan.FromMilliseconds(200);

    private readonly RedisLink _link;
    private readonly ItemSeal _seal;
    private readonly TimeProvider _time;
    private readonly Func<double> _draw;
    private readonly string _channel;
    private readonly IdempotencyRecordWaiters _waiters = new();
    private readonly DeferredRecordWrites<Ending> _late;

    /// <summary>To be made before the link is started.</summary>
    public RedisIdempotencyStore(RedisLink link, ItemSeal seal, TimeProvider time, Func<double> draw)
    {
        (_link, _seal, _time, _draw) = (link, seal, time, draw);
        _channel = $"{link.Options.KeyPrefix}:key-ends";
        _late = new DeferredRecordWrites<Ending>(WriteLateAsync, e => e.Bytes);
        link.Subscribe(_channel, id => _waiters.Wake(id.ToString()));
        link.WhenUp(_late.WriteAsync);
    }

    public async ValueTask<ClaimResult> ClaimAsync(IdempotencyKeyClaim claim, CancellationToken cancellation)
    {
        var (id, mark) = (Id(claim.Scope), Guid.NewGuid().ToString("n"));
        var reply = await _link.RunAsync(Claim, RecordKey(id),
            [claim.Fingerprint, (long)claim.Lease.TotalMilliseconds, (long)claim.Lifetime.TotalMilliseconds, mark]);
        if (reply.Result is { } result)
        {
            return Read(result, id, claim.Scope);
        }

        if (reply.MayHaveRun)
        {
            // A claim that Redis stored although its reply never came has no owner. It is opened again, so that no other request waits for its lease.
            Later(new Ending(id, mark, Word(IdempotencyRecordEnd.Open), null, null));
        }

        return ClaimResult.Unavailable;
    }

    public async ValueTask<bool> EndAsync(
        IdempotencyKeyScope scope, long token, IdempotencyRecordEnd end, StoredResponse? answer, DateTimeOffset? started, CancellationToken cancellation)
    {
        var id = Id(scope);
        var ending = new Ending(id, token.ToString(CultureInfo.InvariantCulture), Word(end), answer is null ? null : _seal.Seal(answer.Serialize(), Context(id, scope)), started);
        var reply = await WriteAsync(ending);
        _waiters.Wake(Name(id));
        if (reply.Result is null)
        {
            Later(ending);
        }

        return reply.Result is { } result && (int)result == 1;
    }

    public async Task WaitAsync(IdempotencyKeyScope scope, CancellationToken cancellation)
    {
        var id = Name(Id(scope));
        var ended = _waiters.Enter(id);
        await ended.WaitAsync(AskAgainMin + (AskAgainSpread * _draw()), _time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _waiters.Leave(id, ended);
    }

    private static byte[] Id(IdempotencyKeyScope scope) => SHA256.HashData(Encoding.UTF8.GetBytes(scope.ToString()));

    private static string Name(byte[] id) => Convert.ToHexStringLower(id);

    private static SealContext Context(byte[] id, IdempotencyKeyScope scope) =>
        new(Queue, new Guid(id.AsSpan(0, 16), bigEndian: true), scope.Upstream, SealPart.Response);

    private static string Word(IdempotencyRecordEnd end) => end switch
    {
        IdempotencyRecordEnd.Finished => "finished",
        IdempotencyRecordEnd.Open => "open",
        _ => "unknown",
    };

    // The braces put what belongs to one key into one slot of a Cluster.
    private RedisKey RecordKey(byte[] id) => $"{_link.Options.KeyPrefix}:key:{{{Name(id)}}}";

    private async ValueTask<RedisReply> WriteAsync(Ending e) => await _link.RunAsync(End, RecordKey(e.Id),
        [e.Token, e.State, e.Response ?? [], e.Started?.ToUnixTimeMilliseconds().ToString(CultureInfo.InvariantCulture) ?? "", _channel, Name(e.Id)]);

    private async ValueTask<bool> WriteLateAsync(Ending ending) => (await WriteAsync(ending)).Result is not null;

    private void Later(Ending ending)
    {
        _late.Add(ending);
        if (_link.IsUp)
        {
            // Redis became available between the call and now, and the deferred ends were written before this one was added.
            _ = _late.WriteAsync();
        }
    }

    private ClaimResult Read(RedisResult result, byte[] id, IdempotencyKeyScope scope)
    {
        var reply = (RedisResult[])result!;
        switch ((string?)reply[0])
        {
            case "owned":
                var since = (string?)reply[2];
                return new ClaimResult(ClaimVerdict.Owned, (long)reply[1], string.IsNullOrEmpty(since)
                    ? null
                    : DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(since, CultureInfo.InvariantCulture)));
            case "running":
                return new ClaimResult(ClaimVerdict.Running);
            case "mismatch":
                return new ClaimResult(ClaimVerdict.Mismatch);
            case "finished":
                // As in the file: an answer that does not open any more (its key was taken away) is as good as none.
                return _seal.TryOpen((byte[])reply[3]!, Context(id, scope), out var plain) && StoredResponse.Parse(plain) is { } answer
                    ? new ClaimResult(ClaimVerdict.Finished, Response: answer)
                    : new ClaimResult(ClaimVerdict.Unknown);
            default:
                return new ClaimResult(ClaimVerdict.Unknown);
        }
    }

    /// <param name="Token">Of the claim; or its mark, where the token never came.</param>
    private sealed record Ending(byte[] Id, string Token, string State, byte[]? Response, DateTimeOffset? Started)
    {
        public long Bytes => 200 + (Response?.Length ?? 0);
    }
}
