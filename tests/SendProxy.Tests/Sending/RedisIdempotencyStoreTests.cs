using System.Security.Cryptography;
using SendProxy.Redis;
using SendProxy.Secrets.Sealing;
using SendProxy.Sending.Idempotency;
using SendProxy.Tests.Redis;
using StackExchange.Redis;

namespace SendProxy.Tests.Sending;

public sealed class RedisIdempotencyStoreTests : IdempotencyStoreContract, IAsyncDisposable
{
    private static readonly KeyClaim Alice = new(new KeyScope("sendapi", "", "order-of-alice"), new byte[32], TimeSpan.FromHours(1), TimeSpan.FromHours(24));

    private readonly RedisServer _redis;
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(SealKey.Bytes);
    private readonly RedisLink _link;
    private readonly RedisIdempotencyStore _store;

    public RedisIdempotencyStoreTests(RedisFixture redis)
    {
        _redis = redis.Server;
        (_link, _store) = Open(null);
    }

    private protected override IIdempotencyStore Store => _store;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Claim_TwoProcesses_OneOwnsAndTheOtherIsWokenByItsEnd()
    {
        var (link, twin) = Open(_link.Options.KeyPrefix);
        await using var other = link;
        var owned = await _store.ClaimAsync(Alice, Token);
        Assert.Equal(ClaimVerdict.Running, (await twin.ClaimAsync(Alice, Token)).Verdict);
        var waiting = twin.WaitAsync(Alice.Scope, Token);

        await _store.EndAsync(Alice.Scope, owned.Token, KeyEnd.Finished, new StoredAnswer(202, [], "x"u8.ToArray()), null, Token);
        await waiting;

        Assert.Equal(202, (await twin.ClaimAsync(Alice, Token)).Answer!.Status);
    }

    [Fact]
    public async Task Records_NameAndContent_HoldNeitherKeyNorAnswerInClear()
    {
        var owned = await _store.ClaimAsync(Alice, Token);
        await _store.EndAsync(Alice.Scope, owned.Token, KeyEnd.Finished, new StoredAnswer(200, [], "the answer to alice"u8.ToArray()), null, Token);

        var records = Keys();
        var text = string.Join('\n', records.Select(k => k.ToString()).Concat(
            records.SelectMany(k => _redis.Database.HashGetAll(k)).Select(e => System.Text.Encoding.Latin1.GetString((byte[])e.Value!))));

        Assert.Single(records);
        Assert.DoesNotContain("alice", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Records_EachState_Expire()
    {
        var owned = await _store.ClaimAsync(Alice, Token);
        await _store.EndAsync(Alice.Scope, owned.Token, KeyEnd.Open, null, null, Token);
        await _store.ClaimAsync(Alice, Token);

        Assert.All(Keys(), k => Assert.InRange(_redis.Database.KeyTimeToLive(k)!.Value, TimeSpan.FromHours(23), TimeSpan.FromHours(24)));
    }

    [Fact]
    public async Task End_RecordGone_IsFalseAndMakesNone()
    {
        var owned = await _store.ClaimAsync(Alice, Token);
        await _redis.Database.KeyDeleteAsync(Keys());

        Assert.False(await _store.EndAsync(Alice.Scope, owned.Token, KeyEnd.Finished, new StoredAnswer(200, [], default), null, Token));
        Assert.Empty(Keys());
    }

    [Fact]
    public async Task Claim_AnswerUnderAnotherSealKey_IsUnknown()
    {
        var owned = await _store.ClaimAsync(Alice, Token);
        await _store.EndAsync(Alice.Scope, owned.Token, KeyEnd.Finished, new StoredAnswer(200, [], default), null, Token);
        var (link, stranger) = Open(_link.Options.KeyPrefix, RandomNumberGenerator.GetBytes(SealKey.Bytes));
        await using var other = link;

        Assert.Equal(ClaimVerdict.Unknown, (await stranger.ClaimAsync(Alice, Token)).Verdict);
    }

    public ValueTask DisposeAsync() => _link.DisposeAsync();

    // Redis' clock cannot be moved. Instead the records grow older: every time in them, and their expiry, is set back by as much,
    // which is what the clock would have made of them. The scripts and their clock are the real ones.
    private protected override async Task AdvanceAsync(TimeSpan time)
    {
        foreach (var key in Keys())
        {
            foreach (var field in (string[])["leased", "created"])
            {
                await _redis.Database.HashDecrementAsync(key, field, (long)time.TotalMilliseconds);
            }

            var left = (await _redis.Database.KeyTimeToLiveAsync(key))!.Value - time;
            await _redis.Database.KeyExpireAsync(key, left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
    }

    private RedisKey[] Keys() => [.. ((RedisResult[])_redis.Database.Execute("KEYS", $"{_link.Options.KeyPrefix}:key:*")!).Select(k => (RedisKey)k)];

    private (RedisLink Link, RedisIdempotencyStore Store) Open(string? prefix, byte[]? key = null)
    {
        var link = LinkUnderTest.Create(_redis.Address, prefix: prefix);
        var store = new RedisIdempotencyStore(link, new ItemSeal(new SealKeys([new SealKey(key ?? _key)])), TimeProvider.System, () => 0.5);
        link.Start();
        return (link, store);
    }
}
