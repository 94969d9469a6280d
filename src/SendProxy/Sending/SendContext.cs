using SendProxy.Errors;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;
using SendProxy.Sending.RateLimiting;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Sending;

/// <summary>The state of one send while it runs: its credential, its attempts, and what may have been sent. It is used by one at a time.</summary>
internal sealed class SendContext(OutboundMessage message, SelectedCredential credential, IdempotencyDecision pass, TimeProvider time, Func<double> draw)
{
    private readonly Repeatability _repeatability =
        AttemptTable.Of(message.Method, message.Carrier.Deduplicates && message.IdempotencyKey.Value.Length > 0);

    private int _recordedAttempts;
    private TimeSpan _lastDelay;
    private DateTimeOffset _begun;
    private bool _triedOtherCredential;
    private SelectedCredential? _otherCredential;

    public OutboundMessage Message => message;

    public SelectedCredential Credential { get; private set; } = credential;

    public int Attempts { get; private set; }

    /// <summary>In the queues of the limits, of all attempts together; not the pauses between attempts.</summary>
    public TimeSpan Queued { get; set; }

    /// <summary>The most that any attempt may have done.</summary>
    public Sent Sent { get; private set; } = message.EarlierAttempt is null ? pass.SentBefore : Sent.Maybe;

    /// <summary>The key on its way into the body, for vendors that take it there.</summary>
    public BodyInsertion Splice { get; init; } = BodyInsertion.None;

    /// <summary>What the gate said before the first attempt.</summary>
    public IdempotencyDecision Pass => pass;

    /// <summary>When an attempt under this key may first have been sent; null where none was.</summary>
    public DateTimeOffset? StartedAt { get; private set; } = Earlier(pass.StartedAt, message.EarlierAttempt);

    /// <summary>The attempt that was begun last; null where none was.</summary>
    public UpstreamAttempt? Last { get; private set; }

    /// <summary>Why that attempt gave no answer; null where none failed so.</summary>
    public ProxyError? Error { get; private set; }

    /// <summary>The status of the response that broke off, where <see cref="Error"/> is about one.</summary>
    public int? Status { get; private set; }

    /// <summary>What follows the attempt that ended last.</summary>
    public RetryDecision Decision { get; private set; }

    /// <summary>Why the last attempt is to be followed by another; for the metric.</summary>
    public AttemptOutcome LastOutcome { get; private set; }

    /// <summary>A wait that the attempts could not take: what Retry-After says.</summary>
    public TimeSpan? RetryAfter { get; private set; }

    /// <summary>How the permits of its attempts were obtained: of all of them the mode that took most.</summary>
    public PermitMode PermitMode { get; private set; }

    /// <summary>Permits were acquired for the next attempt.</summary>
    public void Acquired(PermitLease permits) => PermitMode = permits.Mode > PermitMode ? permits.Mode : PermitMode;

    /// <summary>The next attempt begins, and owns its permits from now on.</summary>
    /// <param name="reportsToBreaker">It tells the breaker by itself how it ended.</param>
    public UpstreamAttempt Next(PermitLease permits, SendingMetrics metrics, bool reportsToBreaker)
    {
        Attempts++;
        _begun = time.GetUtcNow();
        return Last = new UpstreamAttempt(this, permits, metrics, time, reportsToBreaker);
    }

    /// <summary>Records an attempt's end. Call it once for each attempt.</summary>
    public void RecordOutcome(AttemptResult result, bool started)
    {
        _recordedAttempts = Attempts;
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

    /// <summary>The last attempt is over. Where a defect kept its outcome from being recorded, it is one that broke off.</summary>
    public void RecordEnd(bool started)
    {
        if (started && _recordedAttempts < Attempts)
        {
            RecordOutcome(AttemptResult.Failed(AttemptOutcome.Broke, ProxyError.UpstreamBroken), started);
        }
    }

    /// <summary>
    /// Decides whether another attempt follows, and when; <see cref="Decision"/> keeps it. Nothing is spent by it:
    /// <see cref="BeginRetry"/> does that. Call once for each result.
    /// </summary>
    public RetryDecision Decide(AttemptResult result)
    {
        var pipeline = message.Plan.Pipeline;
        var (verdict, _) = AttemptTable.Decide(result.Outcome, _repeatability);
        var asked = result.Hint.Wait ?? result.RetryAfter;
        _otherCredential = verdict == Verdict.OtherCredential && !_triedOtherCredential ? pipeline.Upstream.Credential.Other(Credential) : null;
        Decision = RetryDecision.Of(
            new RetryInput
            {
                Verdict = verdict,
                MayRepeat = result.MayRepeat,
                RetryAfter = asked,
                Attempts = Attempts,
                IsStreamed = message.Streamed is not null,
                HasOtherCredential = _otherCredential is not null,
                LastDelay = _lastDelay,
                DeadlineLeft = message.Deadline.Left,
                IdempotencyKeyAge = _repeatability == Repeatability.Keyed ? time.GetUtcNow() - StartedAt : null,
                IdempotencyKeyUsableFor = pipeline.Upstream.Options.Idempotency.Lifetime * IdempotencyGate.LifetimeShare,
                BudgetHasToken = verdict == Verdict.Retry && pipeline.Budget.HasToken,
                Draw = draw(),
            },
            pipeline.Retry);
        RetryAfter = asked ?? Decision.RetryAfter;
        return Decision;
    }

    /// <summary>Another attempt follows as <see cref="Decision"/> says: pays for it, or takes the other credential.</summary>
    public void BeginRetry()
    {
        var pipeline = message.Plan.Pipeline;
        if (Decision.Next == NextAttempt.OtherCredential)
        {
            _triedOtherCredential = true;
            pipeline.Upstream.Credential.TookOver(Credential, _otherCredential!);
            Credential = _otherCredential!;
            return;
        }

        pipeline.Budget.Spend();
        _lastDelay = Decision.Delay;
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one < other ? one : other ?? one;
}
