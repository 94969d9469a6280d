using System.Collections.Frozen;
using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Webhooks;
using static SendProxy.Sandbox.Faults.FaultAction;

namespace SendProxy.Sandbox.Faults;

/// <summary>Every fault that there is. Names and numbers are a public contract.</summary>
internal static class FaultCatalog
{
    public static readonly IReadOnlyList<FaultKind> All =
    [
        new(101, "accept-drop", AcceptDrop, "Sent; the connection is cut without an answer."),
        new(102, "drop-before", DropBefore, "Body read, not sent; the connection is cut."),
        new(103, "drop-unread", DropUnread, "Not sent; cut before the body is read (by recipient: after)."),
        new(104, "error-before", Refuse, "Not sent; 500 (`status`: 500, 502, 503, 504).") { Error = ApiError.Internal },
        new(105, "error-after", ErrorAfter, "Sent; 500 (`status`).") { Error = ApiError.Internal },
        new(106, "delay", Delay, "Sent; answered after `ms` (2000)."),
        new(107, "delay-before", DelayBefore, "Sent after `ms` (2000), also when the caller has gone; then answered."),
        new(108, "partial-body", PartialBody, "Sent; half of the promised body, then cut."),
        new(109, "slow-headers", SlowHeaders, "Sent; the answer's head drips for `ms` (2000)."),
        new(110, "wrong-content-type", WrongContentType, "Sent; 202 with an HTML page."),
        new(111, "key-echo", KeyEcho, "Sent; the API key stands in a header and in the body."),
        new(112, "unavailable", Refuse, "Not sent; 503 with Retry-After.") { Error = ApiError.Unavailable },
        new(113, "bad-gateway", Refuse, "Not sent; 502.") { Error = ApiError.BadGateway },
        new(114, "gateway-timeout", Refuse, "Not sent; 504.") { Error = ApiError.GatewayTimeout },
        Limited(120, "rate-limited", null, "Retry-After `ms` (1000) in the usual form"),
        Limited(121, "rate-limited-bare", "absent", "no Retry-After"),
        Limited(122, "rate-limited-date", "date", "Retry-After as an HTTP date"),
        Limited(123, "rate-limited-past", "past", "Retry-After a minute ago"),
        Limited(124, "rate-limited-absurd", "absurd", "Retry-After ten years"),
        Limited(125, "rate-limited-malformed", "malformed", "Retry-After `soon`"),
        new(126, "remaining-zero", RemainingZero, "Sent; Remaining 0, then 429 for all until reset after `ms` (1000)."),
        new(127, "quota-exceeded", Refuse, "Not sent; 429 that waiting does not help.")
            { Error = ApiError.QuotaExceeded, RetryAfter = "absent" },
        new(130, "unauthorized", Refuse, "Not sent; 401.") { Error = ApiError.InvalidApiKey },
        new(131, "insufficient-balance", Refuse, "Not sent; 402.") { Error = ApiError.InsufficientBalance },
        new(132, "channel-disabled", Refuse, "Not sent; 403.") { Error = ApiError.ChannelDisabled },
        new(133, "session-not-found", Refuse, "Not sent; 404.") { Error = ApiError.SessionNotFound },
        new(134, "too-large", Refuse, "Not sent; 413.") { Error = ApiError.TooLarge },
        new(135, "opted-out", Refuse, "Not sent; 422.") { Error = ApiError.OptedOut },
        new(136, "window-closed", Refuse, "Not sent; 422.") { Error = ApiError.WindowClosed },
        new(137, "session-disconnected", Refuse, "Not sent; 422.") { Error = ApiError.SessionDisconnected },
        new(138, "invalid-parameter", Refuse, "Not sent; 400.") { Error = ApiError.InvalidParameter },
        new(139, "key-in-use", Refuse, "Not sent; 409 with Retry-After 1.") { Error = ApiError.KeyInUse },
        new(140, "session-drop", SessionDrop, "Sent; the session drops (back after `ms`, if given); 422."),
        new(141, "session-lies", SessionLies, "202 and connected, but nothing goes out."),
        new(142, "false-disconnect", FalseDisconnect, "Sent; session.disconnected, and connected after `ms` (2000)."),
        Life(150, "webhook-out-of-order", LifeTwist.OutOfOrder, "delivered, sent, queued."),
        Life(151, "webhook-delivered-skipped", LifeTwist.DeliveredSkipped, "queued, sent, read; no delivered."),
        Life(152, "webhook-never-delivered", LifeTwist.NeverDelivered, "queued, sent and no more."),
        Life(153, "webhook-doubled", LifeTwist.DoubledSameId, "each event twice with one id."),
        Life(154, "webhook-doubled-new-id", LifeTwist.DoubledNewId, "each event twice with two ids."),
        Life(155, "webhook-before-answer", LifeTwist.BeforeAnswer, "all events arrive before the 202."),
        Life(156, "webhook-unknown-id", LifeTwist.UnknownId, "each event names an unknown message."),
        Life(157, "webhook-batched", LifeTwist.Batched, "all events in one array."),
        Life(158, "webhook-bad-signature", LifeTwist.BadSignature, "each event is signed wrongly, each time."),
        Life(159, "webhook-stale-timestamp", LifeTwist.StaleTimestamp, "signed with a time 25 h ago."),
        Life(160, "webhook-late", LifeTwist.Late, "created 25 h ago, signed now."),
        Life(161, "message-read", LifeTwist.Read, "delivered, then read."),
        Life(162, "message-failed", LifeTwist.Failed, "message.failed, permanent."),
        Life(163, "message-failed-temporarily", LifeTwist.FailedTemporarily, "message.failed, not permanent."),
        Life(164, "bounce-hard", LifeTwist.BounceHard, "email.bounced hard 550."),
        Life(165, "bounce-soft", LifeTwist.BounceSoft, "email.bounced soft 452."),
        Life(166, "complained", LifeTwist.Complained, "delivered, then email.complained."),
        Life(167, "opened", LifeTwist.Opened, "delivered, then email.opened and .clicked."),
        Life(168, "opts-out", LifeTwist.OptsOut, "delivered, then contact.opted_out."),
    ];

    private static readonly FrozenDictionary<string, FaultKind> ByName =
        All.ToFrozenDictionary(k => k.Name, StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, FaultKind> ByPhone =
        All.ToFrozenDictionary(k => k.Phone, StringComparer.Ordinal);

    public static FaultKind? Named(string name) => ByName.GetValueOrDefault(name);

    public static FaultKind? OfPhone(string phone) => ByPhone.GetValueOrDefault(phone);

    private static FaultKind Limited(int number, string name, string? retryAfter, string about) =>
        new(number, name, Refuse, $"Not sent; 429, {about}.") { Error = ApiError.RateLimited, RetryAfter = retryAfter };

    private static FaultKind Life(int number, string name, LifeTwist twist, string about) =>
        new(number, name, FaultAction.Life, $"Sent; {about}") { Twist = twist };
}
