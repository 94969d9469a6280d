using System.Security.Cryptography;
using SendProxy.Redis;
using SendProxy.Secrets.Sealing;
using SendProxy.Sending.Idempotency;
using SendProxy.Tests.Redis;
using StackExchange.Redis;

namespace SendProxy.Tests.Sending;

// The store over any real Redis; one class for each kind.
public abstract class RedisIdempotencyStoreContract : IdempotencyStoreContract, IAsyncLifetime
{
    private static readonly IdempotencyKeyClaim Alice = new(new IdempotencyKeyScope("sendapi", "", "order-of-alice"), new byte[32], TimeSpan.FromHours(1), TimeSpan.FromHours(24));

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(SealKey.Bytes);
    private RedisLink? _link;
    private RedisIdempotencyStore? _store;

    private protected override IIdempotencyStore Store => _store!;

    private protected abstract IDatabase Database { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Claim_TwoProcesses_OneOwnsAndTheOtherIsWokenByItsEnd()
    {
        var (link, twin) = Twin();
        await using var other = link;
        var owned = await _store!.ClaimAsync(Alice, Token);
        Assert.Equal(ClaimVerdict.Running, (await twin.ClaimAsync(Alice, Token)).Verdict);
        var waiting = twin.WaitAsync(Alice.Scope, Token);

        await _store!.EndAsync(Alice.Scope, owned.Token, IdempotencyRecordEnd.Finished, new StoredResponse(202, [], "x"u8.ToArray()), null, Token);
        await waiting;

        Assert.Equal(202, (await twin.ClaimAsync(Alice, Token)).Response!.Status);
    }

    [Fact]
    public async Task Records_NameAndContent_HoldNeitherKeyNorAnswerInClear()
    {
        var owned = await _store!.ClaimAsync(Alice, Token);
        await _store!.EndAsync(Alice.Scope, owned.Token, IdempotencyRecordEnd.Finished, new StoredResponse(200, [], "the answer to alice"u8.ToArray()), null, Token);

        var records = Keys();
        var text = string.Join('\n', records.Select(k => k.ToString()).Concat(
            records.SelectMany(k => Database.HashGetAll(k)).Select(e => System.Text.Encoding.Latin1.GetString((byte[])e.Value!))));

        Assert.Single(records);
        Assert.DoesNotContain("alice", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Records_EachState_Expire()
    {
        var owned = await _store!.ClaimAsync(Alice, Token);
        await _store!.EndAsync(Alice.Scope, owned.Token, IdempotencyRecordEnd.Open, null, null, Token);
        await _store!.ClaimAsync(Alice, Token);

        Assert.All(Keys(), k => Assert.InRange(Database.KeyTimeToLive(k)!.Value, TimeSpan.FromHours(23), TimeSpan.FromHours(24)));
    }

    [Fact]
    public async Task End_RecordGone_IsFalseAndMakesNone()
    {
        var owned = await _store!.ClaimAsync(Alice, Token);
        await Database.KeyDeleteAsync(Keys());

        Assert.False(await _store!.EndAsync(Alice.Scope, owned.Token, IdempotencyRecordEnd.Finished, new StoredResponse(200, [], default), null, Token));
        Assert.Empty(Keys());
    }

    [Fact]
    public async Task Claim_AnswerUnderAnotherSealKey_IsUnknown()
    {
        var owned = await _store!.ClaimAsync(Alice, Token);
        await _store!.EndAsync(Alice.Scope, owned.Token, IdempotencyRecordEnd.Finished, new StoredResponse(200, [], default), null, Token);
        var (link, stranger) = Twin(RandomNumberGenerator.GetBytes(SealKey.Bytes));
        await using var other = link;

        Assert.Equal(ClaimVerdict.Unknown, (await stranger.ClaimAsync(Alice, Token)).Verdict);
    }

    public async ValueTask InitializeAsync() => (_link, _store) = Open(await ConnectAsync(), null);

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _link?.DisposeAsync() ?? ValueTask.CompletedTask;
    }

    /// <returns>What fleet.redis.connection would say.</returns>
    private protected abstract Task<string> ConnectAsync();

    private protected abstract RedisKey[] Keys(string pattern);

    // Redis' clock cannot be moved. Instead the records grow older: every time in them, and their expiry, is set back by as much,
    // which is what the clock would have made of them. The scripts and their clock are the real ones.
    private protected override async Task AdvanceAsync(TimeSpan time)
    {
        foreach (var key in Keys())
        {
            foreach (var field in (string[])["leased", "created"])
            {
                await Database.HashDecrementAsync(key, field, (long)time.TotalMilliseconds);
            }

            var left = (await Database.KeyTimeToLiveAsync(key))!.Value - time;
            await Database.KeyExpireAsync(key, left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
    }

    private RedisKey[] Keys() => Keys($"{_link!.Options.KeyPrefix}:key:*");

    private (RedisLink Link, RedisIdempotencyStore Store) Twin(byte[]? key = null) => Open(_link!.Options.Connection, _link.Options.KeyPrefix, key);

    private (RedisLink Link, RedisIdempotencyStore Store) Open(string connection, string? prefix, byte[]? key = null)
    {
        var link = LinkUnderTest.Create(connection, prefix: prefix);
        var store = new RedisIdempotencyStore(link, new ItemSeal(new SealKeys([new SealKey(key ?? _key)])), TimeProvider.System, () => 0.5);
        link.Start();
        return (link, store);
    }
}

public sealed class RedisIdempotencyStoreTests(RedisFixture redis) : RedisIdempotencyStoreContract
{
    private protected override IDatabase Database => redis.Server.Database;

    private protected override Task<string> ConnectAsync() => Task.FromResult(redis.Server.Address);

    private protected override RedisKey[] Keys(string pattern) => [.. ((RedisResult[])Database.Execute("KEYS", pattern)!).Select(k => (RedisKey)k)];
}

// Three masters: a record's node is its key's, and its end is published to whoever waits at any of them.
public sealed class RedisClusterIdempotencyStoreTests(RedisClusterFixture redis) : RedisIdempotencyStoreContract
{
    private RedisCluster? _cluster;

    private protected override IDatabase Database => _cluster!.Database;

    [Fact]
    public async Task Claim_ManyKeys_AreSpreadOverTheNodes()
    {
        for (var i = 0; i < 30; i++)
        {
            var claimed = await Store.ClaimAsync(
                new IdempotencyKeyClaim(new IdempotencyKeyScope("sendapi", "", $"k{i}"), new byte[32], TimeSpan.FromMinutes(1), TimeSpan.FromHours(1)), TestContext.Current.CancellationToken);
            Assert.Equal(ClaimVerdict.Owned, claimed.Verdict);
        }

        Assert.Equal(3, Keys("*:key:*").Select(_cluster!.NodeOf).Distinct().Count());
    }

    private protected override async Task<string> ConnectAsync() => (_cluster = await redis.StartedAsync()).Address;

    private protected override RedisKey[] Keys(string pattern) => _cluster!.Keys(pattern);
}
