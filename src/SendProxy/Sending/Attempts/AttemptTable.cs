using SendProxy.Errors;
using SendProxy.Upstreams;

namespace SendProxy.Sending.Attempts;

/// <summary>What became of one attempt.</summary>
internal enum AttemptOutcome
{
    /// <summary>No connection, no TLS, or refused before anything of the body was handed to a connection.</summary>
    NothingWritten,

    /// <summary>429 or 503 with Retry-After, and the preset says that the vendor did not process it.</summary>
    ThrottledUnprocessed,

    /// <summary>429 or 503 with Retry-After, by status alone.</summary>
    Throttled,

    /// <summary>408, 425, 500, 502, 503, 504.</summary>
    Failed,

    /// <summary>Broke or timed out after the body was begun.</summary>
    Broke,

    /// <summary>A streamed body ended early or had to be ended: the caller's doing, not the vendor's.</summary>
    BodyBroke,

    /// <summary>The answer's body broke off.</summary>
    AnswerBroke,

    /// <summary>The vendor works on an earlier request with this key.</summary>
    InProgress,

    /// <summary>401.</summary>
    CredentialRejected,

    /// <summary>Every other answer.</summary>
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
            (AttemptOutcome.Failed, Repeatability.Unsafe) => (Verdict.Stop, Sent.Maybe),
            (AttemptOutcome.Failed, _) => (Verdict.Retry, Sent.Maybe),
            (AttemptOutcome.Broke, Repeatability.Unsafe) => (Verdict.Stop, Sent.Maybe),
            (AttemptOutcome.Broke, _) => (Verdict.Retry, Sent.Maybe),
            (AttemptOutcome.BodyBroke, _) => (Verdict.Stop, Sent.Maybe),
            (AttemptOutcome.AnswerBroke, Repeatability.Unsafe) => (Verdict.Stop, Sent.Yes),
            (AttemptOutcome.AnswerBroke, _) => (Verdict.Retry, Sent.Yes),
            (AttemptOutcome.InProgress, Repeatability.Keyed) => (Verdict.Retry, Sent.Maybe),
            (AttemptOutcome.InProgress, _) => (Verdict.Stop, Sent.Maybe),
            (AttemptOutcome.CredentialRejected, _) => (Verdict.OtherCredential, Sent.No),
            _ => (Verdict.Stop, Sent.Yes),
        };

    /// <param name="byRule">A preset's rule said so, not the status alone.</param>
    public static AttemptOutcome Of(Meaning meaning, bool byRule) => meaning switch
    {
        Meaning.Throttled => byRule ? AttemptOutcome.ThrottledUnprocessed : AttemptOutcome.Throttled,
        Meaning.Transient => AttemptOutcome.Failed,
        Meaning.InProgress => AttemptOutcome.InProgress,
        Meaning.CredentialRejected => AttemptOutcome.CredentialRejected,
        _ => AttemptOutcome.Final,
    };

    public static Repeatability Of(HttpMethod method, bool vendorDeduplicates) =>
        method == HttpMethod.Get || method == HttpMethod.Head || method == HttpMethod.Put
        || method == HttpMethod.Delete || method == HttpMethod.Options ? Repeatability.Idempotent
        : vendorDeduplicates ? Repeatability.Keyed
        : Repeatability.Unsafe;
}
