using SendProxy.Errors;
using SendProxy.Sending;
using SendProxy.Sending.Attempts;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Outbox.Worker;

/// <summary>What follows a try to send a message.</summary>
internal enum NextStep
{
    Sent,
    Failed,
    Unknown,

    /// <summary>It is put back: nothing was done, or the vendor recognises a repetition.</summary>
    Retry,
}

/// <summary>What a try tells of the vendor, for those that wait behind the message.</summary>
internal enum UpstreamHealth
{
    Works,

    /// <summary>It, or the way to it, fails: others would fail too.</summary>
    Fails,

    /// <summary>Nothing was tried: a limit, a bound of the process or a store stood before it.</summary>
    Untried,
}

/// <summary>What becomes of a message after a try: one pure function.</summary>
/// <param name="Reason">Why, in snake_case; null where it is sent.</param>
/// <param name="KeepAttempting">It may have been sent.</param>
internal readonly record struct SendDecision(NextStep Next, string? Reason, bool KeepAttempting, UpstreamHealth Health)
{
    /// <param name="wasAttempting">An attempt before this try may have been sent.</param>
    public static SendDecision Of(SendOutcome outcome, Repeatability repeatability, bool wasAttempting)
    {
        var health = HealthOf(outcome);
        if (outcome.Refusal is { } refusal)
        {
            return OfRefusal(outcome, refusal, repeatability, wasAttempting, health);
        }

        if (outcome.Response is { IsSuccessStatusCode: true } && (outcome.IsReplay || outcome.LastOutcome == AttemptOutcome.Final))
        {
            return new(NextStep.Sent, null, false, health);
        }

        // Waiting helps: a quota begins anew, a session comes back. And nothing was done.
        var reason = Word(outcome);
        var isLasting = outcome.IsReplay || (outcome.LastOutcome is AttemptOutcome.Rejected or AttemptOutcome.Undecided && outcome.Meaning is not (Meaning.Quota or Meaning.SessionDown));
        if (!isLasting)
        {
            return Again(outcome.Sent, reason, repeatability, health);
        }

        // Asked once more under the same key, a vendor that deduplicates tells the truth: then the refusal is the whole story.
        var repeated = wasAttempting && outcome is { Attempts: 1, LastOutcome: AttemptOutcome.Rejected } && repeatability != Repeatability.Unsafe;
        return outcome.Sent == Sent.No || repeated ? new(NextStep.Failed, reason, false, health)
            : outcome.LastOutcome == AttemptOutcome.Rejected && repeatability != Repeatability.Unsafe ? Again(outcome.Sent, reason, repeatability, health)
            : new(NextStep.Unknown, reason, true, health);
    }

    private static SendDecision OfRefusal(SendOutcome outcome, Refusal refusal, Repeatability repeatability, bool wasAttempting, UpstreamHealth health)
    {
        var code = ProxyErrorTable.Describe(refusal.Error).Code;
        return refusal.Error switch
        {
            ProxyError.IdempotencyKeyReused or ProxyError.BodyInvalid or ProxyError.BodyTypeUnsupported =>
                new(wasAttempting ? NextStep.Unknown : NextStep.Failed, code, wasAttempting, health),
            ProxyError.OutcomeUnknown => new(NextStep.Unknown, code, true, health),

            // Nothing was begun by this try: what is known of those before it stays.
            _ when outcome.Attempts == 0 => new(NextStep.Retry, code, wasAttempting, health),
            ProxyError.AnswerIncomplete when refusal.Sent == Errors.Sent.Yes && repeatability == Repeatability.Unsafe => new(NextStep.Sent, code, false, health),
            _ => Again(refusal.Sent, code, repeatability, health),
        };
    }

    private static SendDecision Again(Sent sent, string reason, Repeatability repeatability, UpstreamHealth health) =>
        sent == Errors.Sent.No ? new(NextStep.Retry, reason, false, health)
        : repeatability == Repeatability.Unsafe ? new(NextStep.Unknown, reason, true, health)
        : new(NextStep.Retry, reason, true, health);

    private static UpstreamHealth HealthOf(SendOutcome outcome) => outcome.LastOutcome switch
    {
        null when outcome.IsReplay => UpstreamHealth.Works,
        null => outcome.Refusal?.Error is ProxyError.UpstreamBreakerOpen or ProxyError.CredentialUnavailable ? UpstreamHealth.Fails : UpstreamHealth.Untried,
        AttemptOutcome.NothingWritten or AttemptOutcome.Failed or AttemptOutcome.Broke or AttemptOutcome.ResponseBroke or AttemptOutcome.RejectionBroke
            or AttemptOutcome.Unavailable or AttemptOutcome.CredentialRejected => UpstreamHealth.Fails,
        AttemptOutcome.Throttled or AttemptOutcome.ThrottledUnprocessed => UpstreamHealth.Untried,
        AttemptOutcome.Rejected when outcome.Meaning is Meaning.Quota => UpstreamHealth.Untried,
        _ => UpstreamHealth.Works,
    };

    private static string Word(SendOutcome outcome) => outcome.LastOutcome switch
    {
        AttemptOutcome.Rejected when outcome.Meaning == Meaning.Quota => "quota_exceeded",
        AttemptOutcome.Rejected when outcome.Meaning == Meaning.SessionDown => "session_down",
        AttemptOutcome.Rejected or null => "refused",
        AttemptOutcome.Undecided => "undecided",
        AttemptOutcome.Throttled or AttemptOutcome.ThrottledUnprocessed or AttemptOutcome.Unavailable => "throttled",
        AttemptOutcome.InProgress => "in_progress",
        _ => "upstream_failed",
    };
}
