using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Idempotency;

namespace SendProxy.Tests.Sandbox;

public class IdempotencyStoreTests
{
    private static readonly byte[] Hash = new byte[32];

    [Fact]
    public void Claim_BeyondMaxRecords_ForgetsOldestAndCounts()
    {
        var store = new IdempotencyStore(new IdempotencyOptions { MaxRecords = 2 }, TimeProvider.System);
        foreach (var key in (string[])["a", "b", "c"])
        {
            store.Claim(Scope(key), Hash, out _);
            store.Complete(Scope(key), new Answer(202, []), new Answer(202, []));
        }

        Assert.Equal(2, store.Count);
        Assert.Equal(1, store.Dropped);
        Assert.Equal(ClaimResult.Replay, store.Claim(Scope("c"), Hash, out _));
        Assert.Equal(ClaimResult.New, store.Claim(Scope("a"), Hash, out _));
    }

    [Fact]
    public void Release_ClaimedKey_IsNewAgain()
    {
        var store = new IdempotencyStore(new IdempotencyOptions(), TimeProvider.System);
        store.Claim(Scope("a"), Hash, out _);
        Assert.Equal(ClaimResult.InUse, store.Claim(Scope("a"), Hash, out _));

        store.Release(Scope("a"));

        Assert.Equal(ClaimResult.New, store.Claim(Scope("a"), Hash, out _));
    }

    private static IdempotencyKeyScope Scope(string key) => new("acct", "POST", "/v1/sms/send", key);
}
