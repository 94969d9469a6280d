using SendProxy.Sending.Idempotency;

namespace SendProxy.Tests.Sending;

// What every store of keys must do; each store has a class that derives from this.
public abstract class IdempotencyStoreContract
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(35);
    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(24);
    private static readonly StoredResponse Answer = new(202, [new("Content-Type", "application/json")], "{\"id\":1}"u8.ToArray());

    private protected abstract IIdempotencyStore Store { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Claim_NewKey_IsOwned()
    {
        var claimed = await Store.ClaimAsync(Claim("a"), Token);

        Assert.Equal(ClaimVerdict.Owned, claimed.Verdict);
        Assert.NotEqual(0, claimed.Token);
        Assert.Null(claimed.StartedAt);
    }

    [Fact]
    public async Task Claim_RunningKey_IsRunning()
    {
        await Store.ClaimAsync(Claim("a"), Token);

        Assert.Equal(ClaimVerdict.Running, (await Store.ClaimAsync(Claim("a"), Token)).Verdict);
    }

    [Fact]
    public async Task Claim_OtherRequest_IsAMismatchInEveryState()
    {
        var owned = await Store.ClaimAsync(Claim("a"), Token);
        Assert.Equal(ClaimVerdict.Mismatch, (await Store.ClaimAsync(Claim("a", content: 2), Token)).Verdict);

        await Store.EndAsync(Scope("a"), owned.Token, IdempotencyRecordEnd.Finished, Answer, null, Token);

        Assert.Equal(ClaimVerdict.Mismatch, (await Store.ClaimAsync(Claim("a", content: 2), Token)).Verdict);
    }

    [Fact]
    public async Task Claim_FinishedKey_YieldsTheAnswer()
    {
        var owned = await Store.ClaimAsync(Claim("a"), Token);
        Assert.True(await Store.EndAsync(Scope("a"), owned.Token, IdempotencyRecordEnd.Finished, Answer, DateTimeOffset.UnixEpoch, Token));

        var found = await Store.ClaimAsync(Claim("a"), Token);

        Assert.Equal((ClaimVerdict.Finished, 202, "{\"id\":1}"), (found.Verdict, found.Response!.Status, System.Text.Encoding.UTF8.GetString(found.Response.Body.Span)));
        Assert.Equal(Answer.Headers, found.Response.Headers);
    }

    [Fact]
    public async Task Claim_OpenKey_IsOwnedAgainAndKnowsWhenItWasSent()
    {
        var started = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000);
        var owned = await Store.ClaimAsync(Claim("a"), Token);
        await Store.EndAsync(Scope("a"), owned.Token, IdempotencyRecordEnd.Open, null, started, Token);

        var again = await Store.ClaimAsync(Claim("a"), Token);

        Assert.Equal((ClaimVerdict.Owned, started), (again.Verdict, again.StartedAt));
        Assert.True(again.Token > owned.Token);
    }

    [Fact]
    public async Task Claim_UnknownKey_StaysUnknown()
    {
        var owned = await Store.ClaimAsync(Claim("a"), Token);
        await Store.EndAsync(Scope("a"), owned.Token, IdempotencyRecordEnd.Unknown, null, DateTimeOffset.UnixEpoch, Token);

        Assert.Equal(ClaimVerdict.Unknown, (await Store.ClaimAsync(Claim("a"), Token)).Verdict);
    }

    [Fact]
    public async Task Claim_OwnerGoneSilent_IsTakenOverAfterTheLeaseAndTheOldOwnerIsFenced()
    {
        var dead = await Store.ClaimAsync(Claim("a"), Token);
        await AdvanceAsync(Lease - TimeSpan.FromSeconds(1));
        Assert.Equal(ClaimVerdict.Running, (await Store.ClaimAsync(Claim("a"), Token)).Verdict);
        await AdvanceAsync(TimeSpan.FromSeconds(1));

        var heir = await Store.ClaimAsync(Claim("a"), Token);

        Assert.Equal(ClaimVerdict.Owned, heir.Verdict);
        Assert.NotNull(heir.StartedAt);
        Assert.False(await Store.EndAsync(Scope("a"), dead.Token, IdempotencyRecordEnd.Finished, Answer, null, Token));
        Assert.True(await Store.EndAsync(Scope("a"), heir.Token, IdempotencyRecordEnd.Finished, Answer, null, Token));
    }

    [Fact]
    public async Task Claim_AfterTheLifetime_IsNew()
    {
        var owned = await Store.ClaimAsync(Claim("a"), Token);
        await Store.EndAsync(Scope("a"), owned.Token, IdempotencyRecordEnd.Finished, Answer, null, Token);
        await AdvanceAsync(Lifetime);

        var claimed = await Store.ClaimAsync(Claim("a", content: 2), Token);

        Assert.Equal((ClaimVerdict.Owned, null), (claimed.Verdict, claimed.StartedAt));
    }

    [Theory]
    [InlineData("sendapi", "", "b")]
    [InlineData("sendapi", "other", "a")]
    [InlineData("stripe", "", "a")]
    public async Task Claim_OtherScope_IsAnotherKey(string upstream, string space, string key)
    {
        await Store.ClaimAsync(Claim("a"), Token);

        var claimed = await Store.ClaimAsync(new IdempotencyKeyClaim(new IdempotencyKeyScope(upstream, space, key), Fingerprint(1), Lease, Lifetime), Token);

        Assert.Equal(ClaimVerdict.Owned, claimed.Verdict);
    }

    [Fact]
    public async Task Claim_ManyAtOnce_OneOwns()
    {
        var claims = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Store.ClaimAsync(Claim("a"), Token).AsTask()));

        Assert.Single(claims, c => c.Verdict == ClaimVerdict.Owned);
        Assert.Equal(49, claims.Count(c => c.Verdict == ClaimVerdict.Running));
    }

    [Fact]
    public async Task Wait_TwinThatEnds_WakesTheWaiter()
    {
        var owned = await Store.ClaimAsync(Claim("a"), Token);
        var waiting = Store.WaitAsync(Scope("a"), Token);

        await Store.EndAsync(Scope("a"), owned.Token, IdempotencyRecordEnd.Finished, Answer, null, Token);

        await waiting;
    }

    private protected abstract Task AdvanceAsync(TimeSpan time);

    private static IdempotencyKeyScope Scope(string key) => new("sendapi", "", key);

    private static byte[] Fingerprint(byte content) => [.. Enumerable.Repeat(content, 32)];

    private static IdempotencyKeyClaim Claim(string key, byte content = 1) => new(Scope(key), Fingerprint(content), Lease, Lifetime);
}
