using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using SendProxy.Errors;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Tests.Sending;

// What the gate makes of each verdict of the store, before a vendor that deduplicates (24 h) and one that does not.
public class IdempotencyGateTests
{
    private const string Unkeyed = "idempotency: { carrier: none }";
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _time = new(Now);
    private readonly ScriptedStore _store = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Enter_NewKey_IsLetThroughWithTheOwnersToken()
    {
        var pass = await EnterAsync("", new ClaimResult(ClaimVerdict.Owned, 7));

        Assert.Equal(new IdempotencyDecision(7), pass);
    }

    [Theory]
    [InlineData(21.5, false)]
    [InlineData(21.7, true)]
    public async Task Enter_OwnedAgain_GoesOnWithinNineTenthsOfTheLifetime(double hours, bool refused)
    {
        var pass = await EnterAsync("", new ClaimResult(ClaimVerdict.Owned, 7, Now - TimeSpan.FromHours(hours)));

        Assert.Equal(refused ? ProxyError.OutcomeUnknown : null, pass.Refusal?.Error);
        Assert.Equal(refused ? [IdempotencyRecordEnd.Unknown] : [], _store.Ends.Select(e => e.End));
    }

    [Fact]
    public async Task Enter_DeadOwnerBeforeAVendorThatDoesNotDeduplicate_IsUnknown()
    {
        var pass = await EnterAsync(Unkeyed, new ClaimResult(ClaimVerdict.Owned, 7, Now));

        Assert.Equal((ProxyError.OutcomeUnknown, Sent.Maybe), (pass.Refusal!.Error, pass.Refusal.Sent));
        Assert.Equal(IdempotencyRecordEnd.Unknown, Assert.Single(_store.Ends).End);
    }

    [Theory]
    [InlineData(ClaimVerdict.Mismatch, ProxyError.IdempotencyKeyReused, Sent.No)]
    [InlineData(ClaimVerdict.Unknown, ProxyError.OutcomeUnknown, Sent.Maybe)]
    public async Task Enter_Verdict_Refuses(object verdict, object error, object sent)
    {
        var pass = await EnterAsync("", new ClaimResult((ClaimVerdict)verdict));

        Assert.Equal(((ProxyError)error, (Sent)sent), (pass.Refusal!.Error, pass.Refusal.Sent));
    }

    [Fact]
    public async Task Enter_Finished_Replays()
    {
        var stored = new StoredResponse(202, [], default);

        var pass = await EnterAsync("", new ClaimResult(ClaimVerdict.Finished, Response: stored));

        Assert.Same(stored, pass.Replay);
    }

    [Theory]
    [InlineData("", null, null)]
    [InlineData(Unkeyed, ProxyError.IdempotencyStoreUnavailable, Sent.Maybe)]
    public async Task Enter_StoreDoesNotAnswer_VendorDeduplicatesOrItIsRefusedAsMaybe(string upstream, object? error, object? sent)
    {
        var pass = await EnterAsync(upstream, ClaimResult.Unavailable);

        Assert.Equal(((ProxyError?)error, (Sent?)sent, error is null), (pass.Refusal?.Error, pass.Refusal?.Sent, pass is { StoreUnavailable: true, IsUncertain: true }));
    }

    // How an owner's end is recorded: by the meaning of the response, by what may have been sent, by the vendor.
    [Theory]
    [InlineData("", 202, Meaning.Success, Sent.Yes, IdempotencyRecordEnd.Finished)]
    [InlineData("", 400, Meaning.Permanent, Sent.No, IdempotencyRecordEnd.Open)]
    [InlineData(Unkeyed, 402, Meaning.Permanent, Sent.No, IdempotencyRecordEnd.Open)]
    [InlineData("", 422, Meaning.Permanent, Sent.Maybe, IdempotencyRecordEnd.Open)]
    [InlineData(Unkeyed, 422, Meaning.Permanent, Sent.Maybe, IdempotencyRecordEnd.Finished)]
    [InlineData("", 422, Meaning.SessionDown, Sent.No, IdempotencyRecordEnd.Open)]
    [InlineData("", 429, Meaning.Throttled, Sent.No, IdempotencyRecordEnd.Open)]
    [InlineData("", 503, Meaning.Transient, Sent.Maybe, IdempotencyRecordEnd.Open)]
    [InlineData(Unkeyed, 503, Meaning.Transient, Sent.Maybe, IdempotencyRecordEnd.Unknown)]
    [InlineData(Unkeyed, 422, Meaning.Transient, Sent.Maybe, IdempotencyRecordEnd.Unknown)]
    [InlineData(Unkeyed, 422, Meaning.SessionDown, Sent.No, IdempotencyRecordEnd.Open)]
    public async Task Leave_Result_EndsTheRecord(string upstream, int status, object meaning, object sent, object end)
    {
        await using var stage = new SendingFixture(upstream);
        using var response = new HttpResponseMessage((System.Net.HttpStatusCode)status) { Content = new ByteArrayContent([]) };
        var result = new AttemptResult { Outcome = AttemptOutcome.Final, Response = response, IsBuffered = true, Meaning = (Meaning)meaning, Status = status };

        await Gate(stage).LeaveAsync(stage.Message("order-1"), new IdempotencyDecision(7), result, (Sent)sent, Now);

        Assert.Equal(((IdempotencyRecordEnd)end, Now), (Assert.Single(_store.Ends).End, _store.Ends[0].Started));
    }

    // A4: Redis stopped, sent, Redis back: the process knows of the key, and tells the store.
    [Fact]
    public async Task StoreAwayWhileItWasSent_IsKnownHereAndToldOnceItAnswers()
    {
        await using var stage = new SendingFixture();
        var gate = Gate(stage);
        _store.Found = ClaimResult.Unavailable;
        var first = await gate.EnterAsync(stage.Message("order-1"), Token);
        await gate.LeaveAsync(stage.Message("order-1"), first, null, Sent.Yes, Now);

        var meanwhile = await gate.EnterAsync(stage.Message("order-1"), Token);
        _store.Found = new ClaimResult(ClaimVerdict.Owned, 9);
        var back = await gate.EnterAsync(stage.Message("order-1"), Token);
        await gate.TellUnrecordedAsync();
        var told = _store.Ends.ToArray();
        await gate.TellUnrecordedAsync();

        Assert.Equal((Now, true), (meanwhile.StartedAt, meanwhile.StoreUnavailable));
        Assert.Equal((Now, 9), (back.StartedAt, back.Token));
        Assert.Equal((IdempotencyRecordEnd.Open, Now), (Assert.Single(told).End, told[0].Started));
        Assert.Single(_store.Ends);
    }

    [Fact]
    public async Task StoreAwayWhileNothingWasSent_IsNotRemembered()
    {
        await using var stage = new SendingFixture();
        var gate = Gate(stage);
        _store.Found = ClaimResult.Unavailable;
        await gate.LeaveAsync(stage.Message("order-1"), await gate.EnterAsync(stage.Message("order-1"), Token), null, Sent.No, Now);

        _store.Found = new ClaimResult(ClaimVerdict.Owned, 9);

        Assert.Null((await gate.EnterAsync(stage.Message("order-1"), Token)).StartedAt);
    }

    [Fact]
    public async Task StoreAwayStill_KeepsWhatItIsToBeTold()
    {
        await using var stage = new SendingFixture();
        var gate = Gate(stage);
        _store.Found = ClaimResult.Unavailable;
        await gate.LeaveAsync(stage.Message("order-1"), default, null, Sent.Yes, Now);

        await gate.TellUnrecordedAsync();
        _store.Found = new ClaimResult(ClaimVerdict.Owned, 9);
        await gate.TellUnrecordedAsync();

        Assert.Equal((2, 1), (_store.Claims.Count, _store.Ends.Count));
    }

    private IdempotencyGate Gate(SendingFixture stage) =>
        new(() => _store, new UnrecordedSends(stage.Get<IdempotencyMetrics>()), stage.Get<IdempotencyMetrics>(), _time);

    private async Task<IdempotencyDecision> EnterAsync(string upstream, ClaimResult found)
    {
        await using var stage = new SendingFixture(upstream);
        _store.Found = found;
        return await Gate(stage).EnterAsync(stage.Message("order-1"), Token);
    }
}
