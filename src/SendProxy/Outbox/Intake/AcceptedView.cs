using System.Buffers;
using System.Text.Json;
using SendProxy.Outbox.Messages;
using SendProxy.Sending;

namespace SendProxy.Outbox.Intake;

/// <summary>The body of a 202: the first members of what GET tells of the message.</summary>
internal static class AcceptedView
{
    public static ReadOnlyMemory<byte> Body(Acceptance accepted, OutboundMessage message, MessageTerms terms)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            Write(json, accepted, message, terms);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    /// <summary>Its members, into an object that is open.</summary>
    public static void Write(Utf8JsonWriter json, Acceptance accepted, OutboundMessage message, MessageTerms terms)
    {
        json.WriteString("id", accepted.Id);
        if (!accepted.IsDuplicate)
        {
            json.WriteString("state", (accepted.Lease is null ? OutboxState.Queued : OutboxState.Sending).Word());
        }

        json.WriteString("route", message.Plan.Route);
        json.WriteString("reference", terms.Reference.Length > 0 ? terms.Reference : null);
        json.WriteString("idempotencyKey", message.IdempotencyKey.Value.Length > 0 ? message.IdempotencyKey.Value : null);
    }
}
