using SendProxy.Errors;
using SendProxy.Hosting;

namespace SendProxy.Receiving;

/// <summary>Why a webhook was not taken; in the log, the metrics and the answer's detail. Names on the wire are stable.</summary>
internal enum Rejection
{
    UnknownSource,
    MethodNotAllowed,
    SignatureMissing,
    SignatureMalformed,
    SignatureMismatch,
    TimestampMissing,
    TimestampMalformed,
    TimestampTooOld,
    TimestampTooNew,
    IdMissing,
    IdMalformed,
    BodyTooLarge,
    BodyEncoding,
    BodyIncomplete,
    BodyTooSlow,
    TooManyEvents,
    ChallengeRefused,

    /// <summary>The source's <c>concurrency</c> is reached, or the memory budget is used up.</summary>
    Busy,

    /// <summary>No secret of the source can be used.</summary>
    SecretUnavailable,
    JournalFull,
    JournalFailed,

    /// <summary>It was not stored within <c>acknowledge.within</c>; it may be stored later.</summary>
    TooSlow,
}

/// <summary>What a <see cref="Rejection"/> looks like on the wire.</summary>
internal static class Rejections
{
    /// <returns>snake_case, stable.</returns>
    public static string Word(this Rejection rejection) => Row(rejection).Word;

    /// <summary>True where the sender should come again: the source's <c>overloadStatus</c> is answered.</summary>
    public static bool IsOurs(this Rejection rejection) => rejection >= Rejection.Busy;

    /// <param name="overloadStatus">The source's own, for what is not the sender's fault.</param>
    /// <param name="context">Knows where this process listens; null: ports are not told.</param>
    public static Refusal ToRefusal(this Rejection rejection, int overloadStatus, TimeSpan? retryAfter, HttpContext? context = null)
    {
        var (word, error, status, text) = Row(rejection);
        var told = rejection == Rejection.UnknownSource ? text.Replace("{egress}", BoundListeners.PortOf(ListenerKind.Egress, context), StringComparison.Ordinal) : text;
        var refusal = Refusal.NotSent(error, $"{word}: {told}", rejection.IsOurs() ? retryAfter ?? TimeSpan.FromSeconds(1) : null);
        return refusal with
        {
            Status = rejection.IsOurs() ? overloadStatus : status,
            Allow = rejection == Rejection.MethodNotAllowed ? "POST" : null,
        };
    }

    private static (string Word, ProxyError Error, int Status, string Text) Row(Rejection rejection) => rejection switch
    {
        Rejection.UnknownSource => ("unknown_source", ProxyError.NotFound, 404, "webhooks.sources has no such name. This port takes POST /webhooks/{source} and nothing else; applications send to the port of {egress}."),
        Rejection.MethodNotAllowed => ("method_not_allowed", ProxyError.MethodNotAllowed, 405, "webhooks are sent by POST."),
        Rejection.SignatureMissing => ("signature_missing", ProxyError.WebhookRejected, 401, "the header with the signature is not there."),
        Rejection.SignatureMalformed => ("signature_malformed", ProxyError.WebhookRejected, 401, "the signature header is not in the source's form."),
        Rejection.SignatureMismatch => ("signature_mismatch", ProxyError.WebhookRejected, 401, "no secret of the source made this signature."),
        Rejection.TimestampMissing => ("timestamp_missing", ProxyError.WebhookRejected, 401, "the signed time is not there."),
        Rejection.TimestampMalformed => ("timestamp_malformed", ProxyError.WebhookRejected, 401, "the signed time is no whole number."),
        Rejection.TimestampTooOld => ("timestamp_too_old", ProxyError.WebhookRejected, 401, "the signed time is further back than tolerance."),
        Rejection.TimestampTooNew => ("timestamp_too_new", ProxyError.WebhookRejected, 401, "the signed time is further ahead than tolerance."),
        Rejection.IdMissing => ("id_missing", ProxyError.WebhookRejected, 401, "the signed id is not there."),
        Rejection.IdMalformed => ("id_malformed", ProxyError.WebhookRejected, 401, "the signed id is not in the source's form."),
        Rejection.BodyTooLarge => ("body_too_large", ProxyError.BodyTooLarge, 413, "the body is larger than the source's maxBody."),
        Rejection.BodyEncoding => ("body_encoding", ProxyError.WebhookRejected, 415, "a body with Content-Encoding is not taken."),
        Rejection.BodyIncomplete => ("body_incomplete", ProxyError.BodyIncomplete, 400, "the body ended early."),
        Rejection.BodyTooSlow => ("body_too_slow", ProxyError.BodyIncomplete, 408, "the body came slower than listen.minDataRate."),
        Rejection.TooManyEvents => ("too_many_events", ProxyError.BodyTooLarge, 413, "the batch has more events than the source's maxEvents."),
        Rejection.ChallengeRefused => ("challenge_refused", ProxyError.WebhookRejected, 403, "the challenge's token is not the source's."),
        Rejection.Busy => ("busy", ProxyError.Overloaded, 503, "as many webhooks as the source's concurrency are worked on, or process.maxBufferedBytes is used up."),
        Rejection.SecretUnavailable => ("secret_unavailable", ProxyError.CredentialUnavailable, 503, "no secret of the source can be used; see the log."),
        Rejection.JournalFull => ("journal_full", ProxyError.JournalUnavailable, 503, "the journal is full."),
        Rejection.JournalFailed => ("journal_failed", ProxyError.JournalUnavailable, 503, "the journal could not store it."),
        Rejection.TooSlow => ("too_slow", ProxyError.JournalUnavailable, 503, "it was not stored within acknowledge.within."),
        _ => throw new ArgumentOutOfRangeException(nameof(rejection), rejection, "No row in the table."),
    };
}
