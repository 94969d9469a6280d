using SendProxy.Errors;
using SendProxy.Outbox.Intake;
using SendProxy.Outbox.Messages;
using SendProxy.Outbox.Worker;
using SendProxy.Queueing;
using SendProxy.Sending;
using SendProxy.Sending.Attempts;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Outbox.Handover;

/// <summary>How it went: the outcome, or the message that it became.</summary>
internal readonly record struct HandoverResult(SendOutcome? Outcome, Acceptance? Accepted);

/// <summary>
/// Sends a message at once, and hands it over to the outbox when its caller does not wait any longer, or when it met a full limit or an
/// outage and repeating it later is safe.
/// </summary>
internal sealed class MessageHandover(
    ISender sender, OutboxIntake intake, MessageMover mover, JournalHost journal, DetachedAttemptTracker tracker, TimeProvider time)
{
    /// <param name="gate">The message's own, told before its first attempt.</param>
    /// <param name="wait">How long the caller waits; null: until it has ended.</param>
    /// <exception cref="OperationCanceledException">The caller left before it was handed over.</exception>
    public async Task<HandoverResult> SendAsync(OutboundMessage message, MessageTerms terms, AttemptGate gate, TimeSpan? wait, CancellationToken caller)
    {
        var began = time.GetUtcNow();
        RunningSend? running = new RunningSend(sender, message, caller);
        try
        {
            if (wait is { } most && await running.IsLateAsync(most, time, caller))
            {
                if (gate.TryWithdraw())
                {
                    await running.EndAsync();
                    return new(null, await StoreAsync(new OutboxSubmission(message, terms), caller));
                }

                var accepted = await StoreAsync(new OutboxSubmission(message, terms, began, gate.CredentialFingerprint), caller);
                if (accepted.Refusal is null)
                {
                    running.LetCallerGo();
                    tracker.Track(FinishAsync(message, running, accepted));
                    running = null;
                    return new(null, accepted);
                }
            }

            var outcome = await running.Sending;
            if (!IsBusy(outcome) || await StoreBusyAsync(message, terms, outcome, began) is not { Refusal: null } stored)
            {
                return new(outcome, null);
            }

            outcome.Response?.Dispose();
            return new(null, stored);
        }
        finally
        {
            running?.Dispose();
        }
    }

    /// <returns>Whether what it met passes by itself: a full limit, or a vendor that fails.</returns>
    private static bool IsBusy(SendOutcome outcome) => outcome.Refusal is { } refusal
        ? refusal.Error is ProxyError.RateLimited or ProxyError.QuotaExceeded or ProxyError.LimiterUnavailable or ProxyError.UpstreamBusy
            or ProxyError.UpstreamUnreachable or ProxyError.UpstreamRefused or ProxyError.UpstreamBroken or ProxyError.UpstreamTimedOut or ProxyError.UpstreamBreakerOpen
        : outcome.LastOutcome is AttemptOutcome.Throttled or AttemptOutcome.ThrottledUnprocessed or AttemptOutcome.Unavailable or AttemptOutcome.Failed
            || outcome.Meaning == Meaning.Quota;

    private static Repeatability RepeatabilityOf(OutboundMessage message) =>
        AttemptTable.Of(message.Method, message.Carrier.Deduplicates && message.IdempotencyKey.Value.Length > 0);

    // What may have been sent is stored in our own hands, marked, and then put back: nobody claims it in between without knowing.
    private async Task<Acceptance?> StoreBusyAsync(OutboundMessage message, MessageTerms terms, SendOutcome outcome, DateTimeOffset began)
    {
        var decision = SendDecision.Of(outcome, RepeatabilityOf(message), wasAttempting: false);
        if (decision.Next != NextStep.Retry || message.Streamed is not null)
        {
            return null;
        }

        var due = time.GetUtcNow() + mover.Wait(0, outcome.RetryAfter);
        if (!decision.KeepAttempting)
        {
            return await StoreAsync(new OutboxSubmission(message, terms) { Due = due }, CancellationToken.None);
        }

        var accepted = await StoreAsync(new OutboxSubmission(message, terms, began, outcome.KeyFingerprint), CancellationToken.None);
        if (accepted.Lease is { } lease)
        {
            var retry = new Retry(due, decision.Reason!) { KeepAttempting = true, AttemptsMade = outcome.Attempts, Response = OutboxResponse.Of(outcome) };
            await QueueRetry.UntilAnsweredAsync(() => journal.Queue.RetryAsync(lease, retry, CancellationToken.None), time, CancellationToken.None);
        }

        return accepted;
    }

    private async ValueTask<Acceptance> StoreAsync(OutboxSubmission submission, CancellationToken cancellation) => (await intake.AcceptAsync([submission], cancellation))[0];

    // The attempt runs on, and its end moves the message. One that was stored before under the same key has its own way; the record of
    // the key tells it how this one ended.
    private async Task FinishAsync(OutboundMessage message, RunningSend running, Acceptance accepted)
    {
        using (running)
        {
            var outcome = await running.Sending;
            try
            {
                if (accepted.Lease is { } lease
                    && (await journal.Queue.GetAsync(OutboxEnvelope.Queue, accepted.Id, CancellationToken.None)).Value is { Metadata: { } metadata } item
                    && OutboxEnvelope.Read(metadata) is { } envelope)
                {
                    var decision = SendDecision.Of(outcome, RepeatabilityOf(message), wasAttempting: false);
                    await mover.MoveAsync(new ClaimedItem(lease, item), envelope, outcome, decision, CancellationToken.None);
                }
            }
            finally
            {
                outcome.Response?.Dispose();
            }
        }
    }
}
