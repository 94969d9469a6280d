using SendProxy.Upstreams;

namespace SendProxy.Sending.Attempts;

/// <summary>What follows an attempt.</summary>
internal enum NextAttempt : byte
{
    None,
    SameCredential,
    OtherCredential,
}

/// <summary>Why no attempt follows.</summary>
internal enum RetryStopReason : byte
{
    /// <summary>The result is final, or another attempt could not help or could send twice.</summary>
    Final,

    /// <summary>The body went out as it came and is not kept.</summary>
    Streamed,

    /// <summary>All attempts of <c>retry.attempts</c> were made.</summary>
    AttemptsUsedUp,

    /// <summary>The wait would not end before the deadline.</summary>
    Deadline,

    /// <summary>The vendor may have forgotten the idempotency key by then.</summary>
    IdempotencyKeyLifetime,

    /// <summary>The upstream's retry budget has no token.</summary>
    Budget,
}

/// <summary>All that the decision on the next attempt depends on.</summary>
internal readonly record struct RetryInput
{
    /// <summary>What the attempt table says of the attempt that has ended.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>False where repeating cannot help, whatever the table says.</summary>
    public required bool MayRepeat { get; init; }

    /// <summary>What the vendor asked for; null where it did not.</summary>
    public required TimeSpan? RetryAfter { get; init; }

    /// <summary>Attempts that were begun.</summary>
    public required int Attempts { get; init; }

    public required bool IsStreamed { get; init; }

    /// <summary>There is another credential, and it was not tried yet.</summary>
    public required bool HasOtherCredential { get; init; }

    /// <summary>The wait before the attempt that has ended; zero for none.</summary>
    public required TimeSpan LastDelay { get; init; }

    /// <summary>Negative once the deadline has passed.</summary>
    public required TimeSpan DeadlineLeft { get; init; }

    /// <summary>Since an attempt may first have been sent under the key; null where none was, or the vendor does not deduplicate by it.</summary>
    public required TimeSpan? IdempotencyKeyAge { get; init; }

    /// <summary>The age until which an attempt may be sent under the key.</summary>
    public required TimeSpan IdempotencyKeyUsableFor { get; init; }

    public required bool BudgetHasToken { get; init; }

    /// <summary>Random: 0 up to 1.</summary>
    public required double Draw { get; init; }
}

/// <summary>
/// Whether another attempt follows, when, and with which credential. A pure function of <see cref="RetryInput"/> and the options:
/// it spends nothing, so that it can be asked at any time.
/// </summary>
/// <param name="Delay">The wait before the next attempt; zero goes at once. With a reason to stop: the wait that was not possible.</param>
internal readonly record struct RetryDecision(NextAttempt Next, RetryStopReason Reason, TimeSpan Delay)
{
    public bool IsRetry => Next != NextAttempt.None;

    /// <summary>Why there is no further attempt although the table allows one, as the caller reads it; null where it does not.</summary>
    public string? Explanation => IsRetry ? null : Reason switch
    {
        RetryStopReason.Streamed => "the body was streamed and has one attempt",
        RetryStopReason.Deadline => "the wait before the next attempt would not fit timeouts.total",
        RetryStopReason.IdempotencyKeyLifetime => "the vendor forgets the idempotency key before the next attempt",
        RetryStopReason.Budget => "the retry budget is used up",
        _ => null,
    };

    /// <summary>What the caller can be told to wait, where the vendor names no time; null where a wait is not what was missing.</summary>
    public TimeSpan? RetryAfter => !IsRetry && Reason is RetryStopReason.Deadline or RetryStopReason.Budget ? Delay : null;

    public static RetryDecision Of(in RetryInput input, RetryOptions options)
    {
        if (input.IsStreamed)
        {
            return Stop(input.Verdict == Verdict.Stop ? RetryStopReason.Final : RetryStopReason.Streamed);
        }

        if (input.Verdict == Verdict.OtherCredential)
        {
            // It does not count among the attempts, waits for nothing and needs no budget: it happens once.
            return input.HasOtherCredential ? new(NextAttempt.OtherCredential, default, TimeSpan.Zero) : Stop(RetryStopReason.Final);
        }

        if (input.Verdict == Verdict.Stop || !input.MayRepeat)
        {
            return Stop(RetryStopReason.Final);
        }

        if (input.Attempts >= options.Attempts)
        {
            return Stop(RetryStopReason.AttemptsUsedUp);
        }

        var delay = Backoff.Next(input.LastDelay, options.BaseDelay, options.MaxDelay, input.RetryAfter, input.Draw);
        if (delay >= input.DeadlineLeft)
        {
            return Stop(RetryStopReason.Deadline, delay);
        }

        // Nothing goes out under a key that the vendor may have forgotten: it would be a second message.
        if (input.IdempotencyKeyAge + delay > input.IdempotencyKeyUsableFor)
        {
            return Stop(RetryStopReason.IdempotencyKeyLifetime, delay);
        }

        return input.BudgetHasToken ? new(NextAttempt.SameCredential, default, delay) : Stop(RetryStopReason.Budget, delay);
    }

    private static RetryDecision Stop(RetryStopReason reason, TimeSpan delay = default) => new(NextAttempt.None, reason, delay);
}
