namespace SendProxy.Sandbox.Webhooks;

/// <summary>Which events a message has and when.</summary>
internal sealed class LifePlan(WebhookOptions options)
{
    private const string Permanent = """{"code":"undeliverable","permanent":true}""";
    private const string Temporary = """{"code":"carrier_unavailable","permanent":false}""";
    private const string Hard = """{"type":"hard","smtp_code":550}""";
    private const string Soft = """{"type":"soft","smtp_code":452}""";
    private const string Click = """{"url":"https://example.com/"}""";

    private readonly TimeSpan _sent = options.SentAfter;
    private readonly TimeSpan _delivered = options.DeliveredAfter;

    // What follows delivery comes as long after it again.
    private readonly TimeSpan _later = options.DeliveredAfter * 2;

    private static LifeStep Queued => new("message.queued", TimeSpan.Zero, "queued");

    private LifeStep Sent => new("message.sent", _sent, "sent");

    private LifeStep Delivered => new("message.delivered", _delivered, "delivered");

    private LifeStep Read => new("message.read", _later, "read");

    /// <summary>The steps in the order in which they are reported.</summary>
    public IReadOnlyList<LifeStep> Steps(LifeTwist twist) => twist switch
    {
        LifeTwist.OutOfOrder =>
        [
            Delivered with { After = TimeSpan.Zero }, Sent, Queued with { After = _delivered },
        ],
        LifeTwist.DeliveredSkipped => [Queued, Sent, Read],
        LifeTwist.NeverDelivered => [Queued, Sent],
        LifeTwist.QueuedOnly => [Queued],
        LifeTwist.Read => [Queued, Sent, Delivered, Read],
        LifeTwist.Failed => [Queued, Sent, Failed(Permanent)],
        LifeTwist.FailedTemporarily => [Queued, Sent, Failed(Temporary)],
        LifeTwist.BounceHard => [Queued, Sent, new("email.bounced", _delivered, "bounced", "bounce", Hard)],
        LifeTwist.BounceSoft => [Queued, Sent, new("email.bounced", _delivered, "bounced", "bounce", Soft)],
        LifeTwist.Complained => [Queued, Sent, Delivered, new("email.complained", _later, "delivered")],
        LifeTwist.Opened =>
        [
            Queued, Sent, Delivered, new("email.opened", _later, "read"),
            new("email.clicked", _later, "read", "click", Click),
        ],
        LifeTwist.OptsOut => [Queued, Sent, Delivered, new("contact.opted_out", _later, "delivered")],
        _ => [Queued, Sent, Delivered],
    };

    /// <summary>The status that outranks the others among the steps that have happened after this long.</summary>
    public string StatusAfter(LifeTwist twist, TimeSpan age)
    {
        var status = "queued";
        foreach (var step in Steps(twist))
        {
            if (step.After <= age && Rank(step.Status) > Rank(status)) { status = step.Status; }
        }

        return status;
    }

    private LifeStep Failed(string error) => new("message.failed", _delivered, "failed", "error", error);

    private static int Rank(string status) => status switch
    {
        "queued" => 0,
        "sent" => 1,
        "delivered" => 2,
        "read" => 3,
        _ => 4,
    };
}
