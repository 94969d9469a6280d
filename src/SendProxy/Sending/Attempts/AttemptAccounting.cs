using SendProxy.Sending.RateLimiting;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Sending.Attempts;

/// <summary>Tells everyone who keeps an account of attempts how one has ended: the credential, the metrics, the send, and the limits.</summary>
internal static class AttemptAccounting
{
    /// <param name="started">The request may have left this process.</param>
    public static void Record(SendContext send, PermitLease permits, AttemptResult result, bool started, TimeSpan duration, SendingMetrics metrics)
    {
        var upstream = send.Message.Plan.Pipeline.Upstream;
        if (result.Status is not null)
        {
            if (result.Outcome == AttemptOutcome.CredentialRejected)
            {
                upstream.Credential.Rejected(send.Credential);
            }
            else
            {
                upstream.Credential.Accepted(send.Credential);
            }
        }

        metrics.Attempted(upstream.Name, send.Attempts, result.Outcome, duration.TotalSeconds);
        metrics.Hinted(upstream.Name, result.Hint);
        send.RecordOutcome(result, started);
        if (started)
        {
            permits.Complete(result.Status is null ? null : result.Hint, RefusalOf(result));
        }
    }

    private static RefusalScope RefusalOf(AttemptResult result) => result.Outcome switch
    {
        AttemptOutcome.ThrottledUnprocessed when result.Meaning == Meaning.RecipientThrottled => RefusalScope.Recipient,
        AttemptOutcome.ThrottledUnprocessed or AttemptOutcome.Unavailable => RefusalScope.Plan,
        AttemptOutcome.Throttled => RefusalScope.Status,
        _ => RefusalScope.None,
    };
}
