using Microsoft.Extensions.Time.Testing;
using SendProxy.Errors;
using SendProxy.Sending;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;
using SendProxy.Sending.RateLimiting;

namespace SendProxy.Tests.Sending;

public sealed class SendContextTests : IAsyncDisposable
{
    // One retry for each first attempt, and next to none by time: the budget's clock is the process's.
    private readonly SendingFixture _fixture = new("retry: { attempts: 3, baseDelay: 2s, budget: 100%, floor: 1/m }");
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch.AddYears(50));

    public ValueTask DisposeAsync() => _fixture.DisposeAsync();

    [Fact]
    public void Decide_SpendsNothing_AndBeginRetryPays()
    {
        var budget = _fixture.Plan.Pipeline.Budget;
        var send = Send();
        budget.FirstAttempt();

        Assert.True(Fail(send).IsRetry);
        Assert.True(send.Decide(Broken).IsRetry);
        Assert.True(budget.HasToken);

        send.BeginRetry();
        Assert.False(budget.HasToken);
        // A pause between attempts is no time in the queue of a limit.
        Assert.Equal(TimeSpan.Zero, send.Queued);
        Assert.Equal(RetryStopReason.Budget, Fail(send).Reason);
    }

    [Fact]
    public void Decide_AfterTheLastAttempt_Stops()
    {
        var send = Send();

        Assert.Equal([true, true, false], Enumerable.Range(0, 3).Select(_ => FailWithBudget(send).IsRetry));
        Assert.Equal(RetryStopReason.AttemptsUsedUp, send.Decision.Reason);
    }

    [Fact]
    public void Decide_WhenTimeWentBy_KeepsTheDeadline()
    {
        var send = Send(Deadline.In(TimeSpan.FromSeconds(5), _time));
        Assert.True(FailWithBudget(send).IsRetry);

        _time.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal(RetryStopReason.Deadline, FailWithBudget(send).Reason);
        Assert.Equal(send.Decision.Delay, send.RetryAfter);
    }

    [Fact]
    public void Decide_NearTheEndOfTheKeysLifetime_Stops()
    {
        var lifetime = _fixture.Plan.Pipeline.Upstream.Options.Idempotency.Lifetime;
        var send = Send(Deadline.In(lifetime * 2, _time));
        Assert.True(FailWithBudget(send).IsRetry);

        _time.Advance((lifetime * 0.9) - TimeSpan.FromSeconds(1));

        Assert.Equal(RetryStopReason.IdempotencyKeyLifetime, FailWithBudget(send).Reason);
    }

    [Fact]
    public void Decide_UnderAKeyThatAnEarlierProcessBegan_CountsItsAge()
    {
        var lifetime = _fixture.Plan.Pipeline.Upstream.Options.Idempotency.Lifetime;

        Assert.True(FailWithBudget(Send(first: _time.GetUtcNow() - (lifetime * 0.9) + TimeSpan.FromSeconds(3))).IsRetry);
        Assert.False(FailWithBudget(Send(first: _time.GetUtcNow() - (lifetime * 0.9) + TimeSpan.FromSeconds(1))).IsRetry);
    }

    [Fact]
    public void Decide_AfterA401WithoutAnotherCredential_Stops() =>
        Assert.False(Send().Decide(new AttemptResult { Outcome = AttemptOutcome.CredentialRejected, Status = 401 }).IsRetry);

    [Fact]
    public void RecordOutcome_OfSeveralAttempts_KeepsTheMostThatAnyMayHaveDone()
    {
        var send = Send();
        send.RecordOutcome(Broken, started: true);
        send.RecordOutcome(AttemptResult.Failed(AttemptOutcome.NothingWritten, ProxyError.UpstreamUnreachable), started: false);

        Assert.Equal((Sent.Maybe, ProxyError.UpstreamBroken), (send.Sent, send.Error));
    }

    private static AttemptResult Broken => AttemptResult.Failed(AttemptOutcome.Broke, ProxyError.UpstreamBroken);

    private RetryDecision FailWithBudget(SendContext send)
    {
        _fixture.Plan.Pipeline.Budget.FirstAttempt();
        return Fail(send);
    }

    private RetryDecision Fail(SendContext send)
    {
        send.Next(PermitLease.Unlimited, _fixture.Get<SendingMetrics>(), reportsToBreaker: false);
        send.RecordOutcome(Broken, started: true);
        return send.Decide(Broken);
    }

    private SendContext Send(Deadline? deadline = null, DateTimeOffset? first = null)
    {
        var message = _fixture.Message("order-1", deadline: deadline ?? Deadline.In(TimeSpan.FromSeconds(30), _time));
        var credential = _fixture.Plan.Pipeline.Upstream.Credential.Choose(0.5)!;
        return new SendContext(message, credential, new IdempotencyDecision(StartedAt: first), _time, () => 0.5);
    }
}
