using System.Globalization;
using SendProxy.Sandbox.Sending;
using SendProxy.Sandbox.Server;

namespace SendProxy.Sandbox.Webhooks;

/// <summary>Reports what becomes of a message, as its twist wants it.</summary>
internal sealed class MessageLife(WebhookSender sender, WebhookOptions options, IdSource ids)
{
    private static readonly TimeSpan LongAgo = TimeSpan.FromHours(25);

    public LifePlan Plan { get; } = new(options);

    /// <summary>Begins to report. Ends at once, or after the first attempts where events precede the answer.</summary>
    public ValueTask BeginAsync(Message message)
    {
        if (sender.Target is null) { return ValueTask.CompletedTask; }
        var steps = Plan.Steps(message.Twist);
        if (message.Twist == LifeTwist.BeforeAnswer)
        {
            var all = steps.Select(step => sender.EmitNowAsync(Delivery.Of(Event(message, step))));
            return new ValueTask(Task.WhenAll(all));
        }

        if (message.Twist == LifeTwist.Batched)
        {
            var body = WebhookEvent.ToBatch(steps.Select(step => Event(message, step)));
            sender.Emit(new Delivery(ids.Next("evt_"), "batch", message.Id, body), options.DeliveredAfter);
            return ValueTask.CompletedTask;
        }

        foreach (var step in steps) { Emit(message, step); }
        return ValueTask.CompletedTask;
    }

    /// <summary>Reports a session, now or later.</summary>
    public bool Session(string sessionId, string status, string? reason, TimeSpan after, DateTimeOffset now)
    {
        var one = new WebhookEvent(ids.Next("evt_"), "session." + status, now + after, null,
            EventData.OfSession(sessionId, status, reason));
        return sender.Emit(Delivery.Of(one), after);
    }

    /// <summary>The events that <c>GET /v1/messages/{id}</c> lists: those that have happened.</summary>
    public IEnumerable<WebhookEvent> Past(Message message, DateTimeOffset now) => Plan.Steps(message.Twist)
        .Where(step => message.CreatedAt + step.After <= now)
        .Select(step => Event(message, step));

    private void Emit(Message message, in LifeStep step)
    {
        var first = Event(message, step);
        sender.Emit(Deliver(first, message.Twist), step.After);
        if (message.Twist == LifeTwist.DoubledSameId) { sender.Emit(Deliver(first, message.Twist), step.After); }
        else if (message.Twist == LifeTwist.DoubledNewId)
        {
            sender.Emit(Deliver(first with { Id = ids.Next("evt_") }, message.Twist), step.After);
        }
    }

    private static Delivery Deliver(WebhookEvent one, LifeTwist twist) =>
        new(one.Id, one.Type, one.MessageId, one.ToBody())
        {
            IsBadlySigned = twist == LifeTwist.BadSignature,
            SignedShift = twist == LifeTwist.StaleTimestamp ? -LongAgo : TimeSpan.Zero,
        };

    private WebhookEvent Event(Message message, in LifeStep step)
    {
        var about = message.Twist == LifeTwist.UnknownId ? ids.Next("msg_") : message.Id;
        var at = message.CreatedAt + (message.Twist == LifeTwist.Late ? -LongAgo : step.After);
        return new WebhookEvent(IdOf(message, step), step.Type, at, about, EventData.OfMessage(message, about, step));
    }

    // Made from the message's id, so that an event keeps its id when it is asked for by GET.
    private static string IdOf(Message message, in LifeStep step) =>
        string.Create(CultureInfo.InvariantCulture, $"evt_{message.Id.AsSpan(4)}_{step.Type.Replace('.', '_')}");
}
