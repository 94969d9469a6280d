using System.Text;
using SendProxy.Sandbox.Sending;
using SendProxy.Sandbox.Server;

namespace SendProxy.Sandbox.Webhooks;

/// <summary>Events that a test asks for.</summary>
/// <param name="Type">Known or not: any is emitted.</param>
internal sealed record EventOrder(string Type)
{
    /// <summary>Events to make. Default 1.</summary>
    public int Count { get; init; } = 1;

    /// <summary>The message they are about; null makes up one for each.</summary>
    public string? MessageId { get; init; }

    /// <summary>For made-up messages. Default sms, or email for a type that begins so.</summary>
    public string? Channel { get; init; }

    /// <summary>For made-up messages. Default a number or address that belongs to nobody.</summary>
    public string? To { get; init; }

    public string? SessionId { get; init; }

    /// <summary>The member <c>data</c> as JSON; null makes the usual one of the type.</summary>
    public byte[]? DataJson { get; init; }

    /// <summary>How the delivery differs: doubled, unsigned, late and so on.</summary>
    public LifeTwist Twist { get; init; }
}

/// <summary>Makes events of any type, in any number.</summary>
internal sealed class EventEmission(WebhookSender sender, MessageStore messages, IdSource ids, TimeProvider time)
{
    private const string Failed = """{"code":"undeliverable","permanent":true}""";
    private const string Hard = """{"type":"hard","smtp_code":550}""";
    private const string Click = """{"url":"https://example.com/"}""";
    private static readonly byte[] Balance = """{"balance":"4.20","currency":"EUR","threshold":"5.00"}"""u8.ToArray();
    private static readonly byte[] NoMetadata = "{}"u8.ToArray();
    private static readonly TimeSpan LongAgo = TimeSpan.FromHours(25);

    /// <returns>How many were taken: fewer than ordered without a target or when too many wait.</returns>
    public int Emit(EventOrder order)
    {
        var taken = 0;
        if (order.Twist == LifeTwist.Batched)
        {
            var body = WebhookEvent.ToBatch(Enumerable.Range(0, order.Count).Select(_ => Make(order)));
            return sender.Emit(new Delivery(ids.Next("evt_"), "batch", order.MessageId, body)) ? order.Count : 0;
        }

        for (var i = 0; i < order.Count; i++)
        {
            var one = Make(order);
            if (!sender.Emit(Deliver(one, order.Twist))) { break; }
            taken++;
            if (order.Twist == LifeTwist.DoubledSameId) { sender.Emit(Deliver(one, order.Twist)); }
            if (order.Twist == LifeTwist.DoubledNewId)
            {
                sender.Emit(Deliver(one with { Id = ids.Next("evt_") }, order.Twist));
            }
        }

        return taken;
    }

    private static Delivery Deliver(WebhookEvent one, LifeTwist twist) =>
        new(one.Id, one.Type, one.MessageId, one.ToBody())
        {
            IsBadlySigned = twist == LifeTwist.BadSignature,
            SignedShift = twist == LifeTwist.StaleTimestamp ? -LongAgo : TimeSpan.Zero,
        };

    private WebhookEvent Make(EventOrder order)
    {
        var at = time.GetUtcNow() - (order.Twist == LifeTwist.Late ? LongAgo : TimeSpan.Zero);
        var id = ids.Next("evt_");
        if (order.DataJson is { } given) { return new WebhookEvent(id, order.Type, at, order.MessageId, given); }
        switch (order.Type)
        {
            case "account.balance_low":
                return new WebhookEvent(id, order.Type, at, null, Balance);
            case var session when session.StartsWith("session.", StringComparison.Ordinal):
                var status = session["session.".Length..];
                var reason = status == "connected" ? null : "connection_lost";
                return new WebhookEvent(
                    id, session, at, null, EventData.OfSession(order.SessionId ?? "wa_main", status, reason));
            default:
                var about = Subject(order, at);
                return new WebhookEvent(
                    id, order.Type, at, about.Id, EventData.OfMessage(about, about.Id, Step(order.Type)));
        }
    }

    private Message Subject(EventOrder order, DateTimeOffset at)
    {
        if (order.MessageId is { } known && messages.Find(known) is { } message) { return message; }
        var isEmail = order.Type.StartsWith("email.", StringComparison.Ordinal);
        var to = order.To ?? (isEmail ? "nobody@example.com" : "+447700900000");
        var json = Encoding.UTF8.GetBytes(isEmail ? $"[\"{Escape(to)}\"]" : $"\"{Escape(to)}\"");
        return new Message(order.MessageId ?? ids.Next("msg_"), order.Channel ?? (isEmail ? "email" : "sms"), json,
            order.SessionId, at, NoMetadata, LifeTwist.None);
    }

    private static LifeStep Step(string type)
    {
        var status = type[(type.LastIndexOf('.') + 1)..];
        return type switch
        {
            "message.failed" => new LifeStep(type, default, status, "error", Failed),
            "email.bounced" => new LifeStep(type, default, status, "bounce", Hard),
            "email.clicked" => new LifeStep(type, default, status, "click", Click),
            _ => new LifeStep(type, default, status),
        };
    }

    private static string Escape(string text) => System.Text.Json.JsonEncodedText.Encode(text).ToString();
}
