using SendProxy.Errors;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;
using SendProxy.Sending.RateLimiting;
using SendProxy.Upstreams;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Sending;

/// <summary>What one send knows of itself while it runs: its key, its attempts, what may have happened. One at a time uses it.</summary>
internal sealed class SendContext(OutboundMessage message, SelectedCredential credential, IdempotencyDecision pass, TimeProvider time, Func<double> draw)
{
    private readonly Repeatability _repeatability =
        AttemptTable.Of(message.Method, message.Plan.Pipeline.Upstream.Options.Idempotency.Deduplicates && message.IdempotencyKey.Value.Length > 0);

    private TimeSpan _lastDelay;
    private DateTimeOffset _begun;
    private bool _triedOtherCredential;

    public OutboundMessage Message => message;

    /// <summary>What it holds of the limits.</summary>
    public SendPermits Permits { get; } = new(message, time);

    public SelectedCredential Credential { get; private set; } = credential;

    public int Attempts { get; private set; }

    public TimeSpan Queued { get; set; }

    /// <summary>The most that any attempt may have done.</summary>
    public Sent Sent { get; private set; } = pass.StartedAt is null && !pass.IsUncertain ? Sent.No : Sent.Maybe;

    /// <summary>The key on its way into the body, for vendors that take it there.</summary>
    public BodyInsertion Splice { get; init; } = BodyInsertion.None;

    /// <summary>What the gate said before the first attempt.</summary>
    public IdempotencyDecision Pass => pass;

    /// <summary>When an attempt under this key may first have been sent; null where none was.</summary>
    public DateTimeOffset? StartedAt { get; private set; } = pass.StartedAt;

    /// <summary>The attempt that was begun last; null where none was.</summary>
    public UpstreamAttempt? Last { get; private set; }

    /// <summary>Why that attempt gave no answer; null where none failed so.</summary>
    public ProxyError? Error { get; private set; }

    /// <summary>The status of the response that broke off, where <see cref="Error"/> is about one.</summary>
    public int? Status { get; private set; }

    /// <summary>What <see cref="PlanNext"/> decided; zero goes at once.</summary>
    public TimeSpan NextDelay { get; private set; }

    /// <summary>Why the last attempt is to be followed by another; for the metric.</summary>
    public AttemptOutcome LastOutcome { get; private set; }

    /// <summary>A wait that the attempts could not take: what Retry-After says.</summary>
    public TimeSpan? RetryAfter { get; private set; }

    /// <summary>Why there is no further attempt although the table allows one; null where it does not.</summary>
    public string? Ended { get; private set; }

    /// <summary>The next attempt begins.</summary>
    /// <param name="reports">It tells the breaker by itself how it ended.</param>
    public UpstreamAttempt Next(SendingMetrics metrics, TimeProvider time, bool reports)
    {
        Attempts++;
        _begun = time.GetUtcNow();
        return Last = new UpstreamAttempt(this, metrics, time, reports);
    }

    /// <summary>Takes note of an attempt's end. Call once for each.</summary>
    public void RecordOutcome(AttemptResult result, bool started)
    {
        LastOutcome = result.Outcome;
        var sent = AttemptTable.Decide(result.Outcome, _repeatability).Sent;
        if (sent >= Sent)
        {
            // What is told in the end is the attempt that may have done the most, not the one that came last.
            (Sent, Error, Status) = (sent, result.Error ?? Error, result.Error is null ? Status : result.Status);
        }

        if (started)
        {
            StartedAt ??= _begun;
        }
    }

    /// <summary>Decides on the next attempt, and when.</summary>
    /// <returns>False when the result is the end.</returns>
    public bool PlanNext(AttemptResult result)
    {
        var (verdict, _) = AttemptTable.Decide(result.Outcome, _repeatability);
        RetryAfter = result.Hint.Wait ?? result.RetryAfter;
        if (message.Streamed is not null)
        {
            Ended = verdict == Verdict.Stop ? null : "the body was streamed and has one attempt";
            return false;
        }

        if (verdict == Verdict.OtherCredential)
        {
            return UseOtherCredential();
        }

        if (verdict == Verdict.Stop || !result.MayRepeat || Attempts >= message.Plan.Pipeline.Retry.Attempts)
        {
            return false;
        }

        var retry = message.Plan.Pipeline.Retry;
        NextDelay = _lastDelay = Backoff.Next(_lastDelay, retry.BaseDelay, retry.MaxDelay, result.Hint.Wait ?? result.RetryAfter, draw());
        if (NextDelay >= message.Deadline.Left)
        {
            Ended = "the wait before the next attempt would not fit timeouts.total";
            RetryAfter ??= NextDelay;
            return false;
        }

        if (IdempotencyKeyWouldExpire(NextDelay))
        {
            Ended = "the vendor forgets the idempotency key before the next attempt";
            return false;
        }

        if (!message.Plan.Pipeline.Budget.TryRetry())
        {
            Ended = "the retry budget is used up";
            RetryAfter ??= NextDelay;
            return false;
        }

        Queued += NextDelay;
        return true;
    }

    private bool UseOtherCredential()
    {
        if (_triedOtherCredential || message.Plan.Pipeline.Upstream.Credential.Other(Credential) is not { } other)
        {
            return false;
        }

        _triedOtherCredential = true;
        message.Plan.Pipeline.Upstream.Credential.TookOver(Credential, other);
        Credential = other;
        NextDelay = TimeSpan.Zero;
        return true;
    }

    // Nothing goes out under a key that the vendor may have forgotten: it would be a second message.
    private bool IdempotencyKeyWouldExpire(TimeSpan delay) =>
        _repeatability == Repeatability.Keyed && StartedAt is { } since
        && time.GetUtcNow() - since + delay > message.Plan.Pipeline.Upstream.Options.Idempotency.Lifetime * IdempotencyGate.LifetimeShare;
}
