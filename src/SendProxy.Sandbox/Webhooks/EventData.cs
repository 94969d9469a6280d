using System.Buffers;
using System.Text.Json;
using SendProxy.Sandbox.Sending;

namespace SendProxy.Sandbox.Webhooks;

/// <summary>Makes the member <c>data</c> of events.</summary>
internal static class EventData
{
    /// <summary>Of an event about a message.</summary>
    /// <param name="message">Which one.</param>
    /// <param name="messageId">Its id, or another where a fault wants an unknown one.</param>
    /// <param name="step">What happened.</param>
    public static ReadOnlyMemory<byte> OfMessage(Message message, string messageId, in LifeStep step)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("message_id", messageId);
            json.WriteString("channel", message.Channel);
            json.WritePropertyName("to");
            json.WriteRawValue(message.ToJson, skipInputValidation: true);
            json.WriteString("session_id", message.SessionId);
            json.WriteString("status", step.Status);
            if (step.Detail != "error") { json.WriteNull("error"); }
            if (step.Detail.Length > 0)
            {
                json.WritePropertyName(step.Detail);
                json.WriteRawValue(step.DetailJson, skipInputValidation: true);
            }

            json.WritePropertyName("metadata");
            json.WriteRawValue(message.MetadataJson, skipInputValidation: true);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    /// <summary>Of a session's event.</summary>
    /// <param name="sessionId">Which one.</param>
    /// <param name="status">Its status on the wire.</param>
    /// <param name="reason">Why it was lost; null when it was not.</param>
    public static ReadOnlyMemory<byte> OfSession(string sessionId, string status, string? reason)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("session_id", sessionId);
            json.WriteString("status", status);
            json.WriteString("reason", reason);
            // A logged-out session needs a person with a telephone; the others come back by themselves.
            json.WriteBoolean("recoverable", status != "qr_required" && reason != "logged_out");
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }
}
