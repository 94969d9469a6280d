using SendProxy.Sending.Attempts;

namespace SendProxy.Tests.Sending;

public sealed class RetryDecisionTests
{
    private static readonly RetryOptions Options = new(Attempts: 4, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(10), BudgetRatio: 0.2, FloorPerSecond: 10);

    // With this draw the first wait is the mean: 2 s.
    private static readonly RetryInput Retryable = new()
    {
        Verdict = Verdict.Retry,
        MayRepeat = true,
        RetryAfter = null,
        Attempts = 1,
        IsStreamed = false,
        HasOtherCredential = true,
        LastDelay = TimeSpan.Zero,
        DeadlineLeft = TimeSpan.FromSeconds(30),
        IdempotencyKeyAge = TimeSpan.FromSeconds(1),
        IdempotencyKeyUsableFor = TimeSpan.FromHours(1),
        BudgetHasToken = true,
        Draw = 0.5,
    };

    [Fact]
    public void Retry_WithAllLeft_FollowsAfterTheBackoff() => Expect(Retryable, NextAttempt.SameCredential, seconds: 2);

    [Theory]
    [InlineData(1, true)]
    [InlineData(3, true)]
    [InlineData(4, false)]
    [InlineData(5, false)]
    public void Attempts_EndWithTheConfiguredOne(int attempts, bool retries)
    {
        var input = Retryable with { Attempts = attempts };

        Assert.Equal(retries, RetryDecision.Of(input, Options).IsRetry);
        Assert.Equal(retries ? default : RetryStopReason.AttemptsUsedUp, RetryDecision.Of(input, Options).Reason);
    }

    [Theory]
    [InlineData(2.001, true)]
    [InlineData(2, false)]
    [InlineData(1, false)]
    [InlineData(-1, false)]
    public void Deadline_MustLeaveMoreThanTheWait(double left, bool retries)
    {
        var input = Retryable with { DeadlineLeft = TimeSpan.FromSeconds(left) };

        Expect(input, retries ? NextAttempt.SameCredential : NextAttempt.None, 2, retries ? default : RetryStopReason.Deadline);
        Assert.Equal(retries ? null : TimeSpan.FromSeconds(2), RetryDecision.Of(input, Options).RetryAfter);
    }

    [Fact]
    public void Deadline_IsMeasuredAgainstWhatTheVendorAsksFor()
    {
        var input = Retryable with { RetryAfter = TimeSpan.FromSeconds(29) };

        Expect(input, NextAttempt.SameCredential, 29);
        Expect(input with { DeadlineLeft = TimeSpan.FromSeconds(29) }, NextAttempt.None, 29, RetryStopReason.Deadline);
    }

    [Theory]
    [InlineData(58.0, true)]
    [InlineData(58.001, false)]
    [InlineData(60.0, false)]
    [InlineData(null, true)]
    public void IdempotencyKey_MustStillBeUsableAfterTheWait(double? age, bool retries)
    {
        var input = Retryable with
        {
            IdempotencyKeyAge = age is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            IdempotencyKeyUsableFor = TimeSpan.FromSeconds(60),
        };

        Expect(input, retries ? NextAttempt.SameCredential : NextAttempt.None, 2, retries ? default : RetryStopReason.IdempotencyKeyLifetime);
        Assert.Null(RetryDecision.Of(input, Options).RetryAfter);
    }

    [Fact]
    public void Budget_WithoutAToken_StopsAndNamesTheWait()
    {
        var input = Retryable with { BudgetHasToken = false };

        Expect(input, NextAttempt.None, 2, RetryStopReason.Budget);
        Assert.Equal(TimeSpan.FromSeconds(2), RetryDecision.Of(input, Options).RetryAfter);
    }

    [Fact]
    public void StreamedBody_HasOneAttempt()
    {
        Expect(Retryable with { IsStreamed = true }, NextAttempt.None, 0, RetryStopReason.Streamed);
        Expect(Retryable with { IsStreamed = true, Verdict = Verdict.OtherCredential }, NextAttempt.None, 0, RetryStopReason.Streamed);
        Expect(Retryable with { IsStreamed = true, Verdict = Verdict.Stop }, NextAttempt.None, 0, RetryStopReason.Final);
    }

    [Fact]
    public void OtherCredential_NeedsNeitherAttemptsNorTimeNorBudget()
    {
        var rejected = Retryable with { Verdict = Verdict.OtherCredential, Attempts = 4, DeadlineLeft = TimeSpan.Zero, BudgetHasToken = false };

        Expect(rejected, NextAttempt.OtherCredential, 0);
        Expect(rejected with { HasOtherCredential = false }, NextAttempt.None, 0, RetryStopReason.Final);
    }

    [Fact]
    public void TableOrAttempt_ThatForbidsARepeat_IsObeyed()
    {
        Expect(Retryable with { Verdict = Verdict.Stop }, NextAttempt.None, 0, RetryStopReason.Final);
        Expect(Retryable with { MayRepeat = false }, NextAttempt.None, 0, RetryStopReason.Final);
    }

    [Fact]
    public void Explanation_IsGivenOnlyWhereTheTableAllowsMore()
    {
        var explained = Enum.GetValues<RetryStopReason>().Where(r => new RetryDecision(NextAttempt.None, r, default).Explanation is not null);

        Assert.Equal([RetryStopReason.Streamed, RetryStopReason.Deadline, RetryStopReason.IdempotencyKeyLifetime, RetryStopReason.Budget], explained);
        Assert.Null(RetryDecision.Of(Retryable, Options).Explanation);
    }

    private static void Expect(RetryInput input, NextAttempt next, double seconds, RetryStopReason reason = default) =>
        Assert.Equal(new RetryDecision(next, reason, TimeSpan.FromSeconds(seconds)), RetryDecision.Of(input, Options));
}
