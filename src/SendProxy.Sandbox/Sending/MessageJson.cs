using System.Buffers;
using System.Text.Json;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Sandbox.Sending;

/// <summary>A message on the wire.</summary>
internal static class MessageJson
{
    /// <summary>The answer to a send.</summary>
    public static byte[] Accepted(Message message)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            WriteMembers(json, message, "queued");
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The answer to <c>GET /v1/messages/{id}</c>: the message and its events.</summary>
    public static byte[] WithEvents(Message message, string status, IEnumerable<WebhookEvent> events)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            WriteMembers(json, message, status);
            json.WriteStartArray("events");
            foreach (var one in events)
            {
                json.WriteStartObject();
                json.WriteString("id", one.Id);
                json.WriteString("type", one.Type);
                json.WriteString("created_at", Timestamps.Text(one.CreatedAt));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteMembers(Utf8JsonWriter json, Message message, string status)
    {
        json.WriteString("id"u8, message.Id);
        json.WriteString("object"u8, "message"u8);
        json.WriteString("channel"u8, message.Channel);
        json.WriteString("status"u8, status);
        json.WritePropertyName("to"u8);
        json.WriteRawValue(message.ToJson, skipInputValidation: true);
        json.WriteString("session_id"u8, message.SessionId);
        json.WriteString("created_at"u8, Timestamps.Text(message.CreatedAt));
        json.WritePropertyName("metadata"u8);
        json.WriteRawValue(message.MetadataJson, skipInputValidation: true);
    }
}
