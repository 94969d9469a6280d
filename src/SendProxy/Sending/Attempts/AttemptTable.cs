using SendProxy.Errors;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Sending.Attempts;

/// <summary>What became of one attempt.</summary>
internal enum AttemptOutcome
{
    /// <summary>No connection, no TLS, or refused before anything of the body was handed to a connection.</summary>
    NothingWritten,

    /// <summary>429 or 503 with Retry-After, and the preset says that the vendor did not process it.</summary>
    ThrottledUnprocessed,

    /// <summary>429 by status alone.</summary>
    Throttled,

    /// <summary>503 with Retry-After by status alone: the vendor asks for a pause, and does not say that it did nothing.</summary>
    Unavailable,

    /// <summary>408, 425, or any 5xx except 501 and 505; or a preset's rule calls the response ambiguous.</summary>
    Failed,

    /// <summary>The connection broke or the attempt timed out after the body was begun.</summary>
    Broke,

    /// <summary>A streamed request body ended early or had to be ended: the caller's doing, not the vendor's.</summary>
    BodyBroke,

    /// <summary>The status is one of success, and the response's body broke off.</summary>
    ResponseBroke,

    /// <summary>The status refuses the request, nothing was done, and the response's body broke off.</summary>
    RejectionBroke,

    /// <summary>The vendor works on an earlier request with this key.</summary>
    InProgress,

    /// <summary>401.</summary>
    CredentialRejected,

    /// <summary>A final response by which the vendor did nothing: 4xx, 501, 505, or what a preset's rule says so of.</summary>
    Rejected,

    /// <summary>A final response that does not say whether anything was done: 409, a redirect, a 5xx that a rule calls final, a key that was used before.</summary>
    Undecided,

    /// <summary>Every other final response: the vendor acted.</summary>
    Final,
}

/// <summary>What makes a request safe to repeat.</summary>
internal enum Repeatability
{
    /// <summary>GET, HEAD, PUT, DELETE, OPTIONS (RFC 9110, 9.2.2).</summary>
    Idempotent,

    /// <summary>Another method, with a key by which the vendor deduplicates.</summary>
    Keyed,

    /// <summary>Another method, and the vendor does not deduplicate.</summary>
    Unsafe,
}

/// <summary>What to do next.</summary>
internal enum Verdict
{
    Stop,
    Retry,
    OtherCredential,
}

/// <summary>
/// What is repeated: one pure function. docs/OPERATING.md prints the same table, and a test compares both.
/// </summary>
internal static class AttemptTable
{
    /// <returns>What to do, and what may be said of the message should it end here.</returns>
    public static (Verdict Verdict, Sent Sent) Decide(AttemptOutcome outcome, Repeatability repeatability) =>
        (outcome, repeatability) switch
        {
            (AttemptOutcome.NothingWritten, _) => (Verdict.Retry, Sent.No),
            (AttemptOutcome.ThrottledUnprocessed, _) => (Verdict.Retry, Sent.No),
            (AttemptOutcome.Throttled, Repeatability.Unsafe) => (Verdict.Stop, Sent.Maybe),
            (AttemptOutcome.Throttled, _) => (Verdict.Retry, Sent.No),
            (AttemptOutcome.Unavailable or AttemptOutcome.Failed or AttemptOutcome.Broke, Repeatability.Unsafe) => (Verdict.Stop, Sent.Maybe),
            (AttemptOutcome.Unavailable or AttemptOutcome.Failed or AttemptOutcome.Broke, _) => (Verdict.Retry, Sent.Maybe),
            (AttemptOutcome.BodyBroke, _) => (Verdict.Stop, Sent.Maybe),
            (AttemptOutcome.ResponseBroke, Repeatability.Unsafe) => (Verdict.Stop, Sent.Yes),
            (AttemptOutcome.ResponseBroke, _) => (Verdict.Retry, Sent.Yes),
            (AttemptOutcome.RejectionBroke, _) => (Verdict.Retry, Sent.No),
            (AttemptOutcome.InProgress, Repeatability.Keyed) => (Verdict.Retry, Sent.Maybe),
            (AttemptOutcome.InProgress, _) => (Verdict.Stop, Sent.Maybe),
            (AttemptOutcome.CredentialRejected, _) => (Verdict.OtherCredential, Sent.No),
            (AttemptOutcome.Rejected, _) => (Verdict.Stop, Sent.No),
            (AttemptOutcome.Undecided, _) => (Verdict.Stop, Sent.Maybe),
            _ => (Verdict.Stop, Sent.Yes),
        };

    /// <summary>What a response that came whole makes of the attempt.</summary>
    /// <param name="byRule">A preset's rule said so, not the status alone.</param>
    public static AttemptOutcome Of(Meaning meaning, bool byRule, int status) => meaning switch
    {
        Meaning.RecipientThrottled => AttemptOutcome.ThrottledUnprocessed,
        Meaning.Throttled when byRule => AttemptOutcome.ThrottledUnprocessed,
        Meaning.Throttled => status == 503 ? AttemptOutcome.Unavailable : AttemptOutcome.Throttled,
        Meaning.Transient or Meaning.Ambiguous => AttemptOutcome.Failed,
        Meaning.InProgress => AttemptOutcome.InProgress,
        Meaning.CredentialRejected => AttemptOutcome.CredentialRejected,
        Meaning.Duplicate => AttemptOutcome.Undecided,
        Meaning.Quota or Meaning.SessionDown => AttemptOutcome.Rejected,
        Meaning.Permanent => OfFinal(status),
        _ => AttemptOutcome.Final,
    };

    /// <summary>What is known of the attempt where the response's status and headers came and its body broke off.</summary>
    /// <param name="byBody">What the body could have made of it: where that differs in whether the vendor acted, the status proves nothing.</param>
    public static AttemptOutcome OfBroken(Meaning meaning, bool byRule, int status, IEnumerable<Meaning> byBody)
    {
        var outcome = Of(meaning, byRule, status);
        var sent = Decide(outcome, Repeatability.Unsafe).Sent;
        return outcome switch
        {
            AttemptOutcome.Final or AttemptOutcome.Rejected when byBody.Any(m => Decide(Of(m, byRule: true, status), Repeatability.Unsafe).Sent != sent) => AttemptOutcome.Failed,
            AttemptOutcome.Final => AttemptOutcome.ResponseBroke,
            AttemptOutcome.Rejected => AttemptOutcome.RejectionBroke,
            _ => outcome,
        };
    }

    public static Repeatability Of(HttpMethod method, bool vendorDeduplicates) =>
        method == HttpMethod.Get || method == HttpMethod.Head || method == HttpMethod.Put
        || method == HttpMethod.Delete || method == HttpMethod.Options ? Repeatability.Idempotent
        : vendorDeduplicates ? Repeatability.Keyed
        : Repeatability.Unsafe;

    // 2xx is here where a rule calls it permanent: errors that come in a 200. A 409 can mean that an earlier request did it; the
    // redirects 307 and 308 keep the method and ask for the request elsewhere, while others may point to what was made (RFC 9110, 15.4).
    private static AttemptOutcome OfFinal(int status) => status switch
    {
        409 => AttemptOutcome.Undecided,
        304 or 307 or 308 => AttemptOutcome.Rejected,
        >= 300 and < 400 => AttemptOutcome.Undecided,
        501 or 505 => AttemptOutcome.Rejected,
        >= 500 => AttemptOutcome.Undecided,
        _ => AttemptOutcome.Rejected,
    };
}
