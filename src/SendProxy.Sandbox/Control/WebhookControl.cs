using System.Text.Json;
using SendProxy.Sandbox.Faults;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Sandbox.Control;

/// <summary>Events: their target, their attempts, and new ones.</summary>
internal static class WebhookControl
{
    private const int EventsMax = 1_000_000;

    public static void MapWebhooks(this ControlDoor door, WebhookSender sender, EventEmission emission)
    {
        door.On("GET", "/sandbox/webhooks", call => ControlAnswer.Ok(json => WriteAttempts(json, sender, call)));
        door.On("GET", "/sandbox/webhooks/summary", _ => ControlAnswer.Ok(json => WriteCounts(json, sender)));
        door.On("DELETE", "/sandbox/webhooks", _ =>
        {
            sender.Clear();
            return ControlAnswer.Done;
        });
        door.On("GET", "/sandbox/webhooks/target", _ => ControlAnswer.Ok(json => WriteTarget(json, sender.Target)));
        door.On("PUT", "/sandbox/webhooks/target", call => SetTarget(call, sender));
        door.On("DELETE", "/sandbox/webhooks/target", _ =>
        {
            sender.Target = null;
            return ControlAnswer.Done;
        });
        door.On("POST", "/sandbox/events", call => Emit(call, sender, emission));
    }

    private static ControlAnswer SetTarget(ControlCall call, WebhookSender sender)
    {
        if (!Uri.TryCreate(call.Text("url"), UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            throw new ControlException("'url' must be an absolute http or https address.");
        }

        var form = SignatureForm.Standard;
        if (call.Text("signature") is { } text && !Enum.TryParse(text, ignoreCase: true, out form))
        {
            throw new ControlException("'signature' must be standard, stripe, github or none.");
        }

        try
        {
            sender.Target = new WebhookTarget(url, call.Text("secret") ?? WebhookTarget.DefaultSecret, form);
            return ControlAnswer.Ok(json => WriteTarget(json, sender.Target));
        }
        catch (FormatException)
        {
            throw new ControlException("'secret' must be base64, with or without whsec_ before it.");
        }
    }

    private static ControlAnswer Emit(ControlCall call, WebhookSender sender, EventEmission emission)
    {
        if (sender.Target is null)
        {
            return ControlAnswer.Problem(
                StatusCodes.Status409Conflict, "There is no target: PUT /sandbox/webhooks/target.");
        }

        var type = call.Text("type") ?? throw new ControlException("'type' is missing.");
        var twist = LifeTwist.None;
        if (call.Text("fault") is { } name)
        {
            twist = FaultCatalog.Named(name) is { Action: FaultAction.Life } kind
                ? kind.Twist
                : throw new ControlException("'fault' must be the name of a webhook fault.");
        }

        var data = call.Member("data");
        if (data is { ValueKind: not JsonValueKind.Object })
        {
            throw new ControlException("'data' must be an object.");
        }

        var order = new EventOrder(type)
        {
            Count = call.Integer("count", 1, EventsMax) ?? 1,
            MessageId = call.Text("message_id"),
            Channel = call.Text("channel"),
            To = call.Text("to"),
            SessionId = call.Text("session_id"),
            DataJson = data is { } given
                ? System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(given).ToArray()
                : null,
            Twist = twist,
        };
        var taken = emission.Emit(order);
        return new ControlAnswer(StatusCodes.Status202Accepted, json => json.WriteNumber("emitted", taken));
    }

    private static void WriteTarget(Utf8JsonWriter json, WebhookTarget? target)
    {
        json.WriteString("url", target?.Url.ToString());
        json.WriteString("signature", target?.Signature.ToString().ToLowerInvariant());
    }

    private static void WriteCounts(Utf8JsonWriter json, WebhookSender sender)
    {
        var counts = sender.Counts;
        json.WriteNumber("emitted", counts.Emitted);
        json.WriteNumber("pending", counts.Pending);
        json.WriteNumber("attempts", counts.Attempts);
        json.WriteNumber("delivered", counts.Delivered);
        json.WriteNumber("given_up", counts.GivenUp);
        json.WriteNumber("dropped", counts.Dropped);
    }

    private static void WriteAttempts(Utf8JsonWriter json, WebhookSender sender, ControlCall call)
    {
        var page = sender.Read(call.Since, call.Limit);
        json.WriteNumber("dropped", sender.DroppedAttempts);
        json.WriteNumber("next", page.Count > 0 ? page[^1].Number : call.Since);
        json.WriteStartArray("entries");
        foreach (var attempt in page)
        {
            json.WriteStartObject();
            json.WriteNumber("number", attempt.Number);
            json.WriteString("event_id", attempt.EventId);
            json.WriteString("type", attempt.Type);
            json.WriteString("message_id", attempt.MessageId);
            json.WriteNumber("attempt", attempt.Attempt);
            json.WriteString("at", Timestamps.Precise(attempt.At));
            json.WriteNumber("status", attempt.Status);
            json.WriteString("outcome", attempt.Outcome);
            json.WriteString("retry_at", attempt.RetryAt is { } at ? Timestamps.Precise(at) : null);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
