using System.Buffers;
using System.Text;
using System.Text.Json;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Sandbox.Sending;

/// <summary>A message on the wire.</summary>
internal static class MessageJson
{
    private static readonly byte[] Null = "null"u8.ToArray();

    private static ReadOnlySpan<byte> IdIs => "{\"id\":\""u8;

    private static ReadOnlySpan<byte> ChannelIs => "\",\"object\":\"message\",\"channel\":\""u8;

    private static ReadOnlySpan<byte> ToIs => "\",\"status\":\"queued\",\"to\":"u8;

    private static ReadOnlySpan<byte> SessionIs => ",\"session_id\":"u8;

    private static ReadOnlySpan<byte> CreatedIs => ",\"created_at\":\""u8;

    private static ReadOnlySpan<byte> MetadataIs => "\",\"metadata\":"u8;

    /// <summary>The answer to a send.</summary>
    // On the path that a benchmark takes: one array and no writer, because the members are known and escaped.
    public static byte[] Accepted(Message message)
    {
        var session = message.SessionId is { } id ? Encoding.UTF8.GetBytes($"\"{JsonEncodedText.Encode(id)}\"") : Null;
        const int Timestamp = 24;
        var length = IdIs.Length + message.Id.Length + ChannelIs.Length + message.Channel.Length + ToIs.Length
            + message.ToJson.Length + SessionIs.Length + session.Length + CreatedIs.Length + Timestamp
            + MetadataIs.Length + message.MetadataJson.Length + 1;
        var body = new byte[length];
        var at = Append(body, 0, IdIs);
        at += Encoding.ASCII.GetBytes(message.Id, body.AsSpan(at));
        at = Append(body, at, ChannelIs);
        at += Encoding.ASCII.GetBytes(message.Channel, body.AsSpan(at));
        at = Append(body, at, ToIs);
        at = Append(body, at, message.ToJson);
        at = Append(body, at, SessionIs);
        at = Append(body, at, session);
        at = Append(body, at, CreatedIs);
        at += Timestamps.Write(message.CreatedAt, body.AsSpan(at));
        at = Append(body, at, MetadataIs);
        at = Append(body, at, message.MetadataJson);
        body[at] = (byte)'}';
        return body;
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

    private static int Append(byte[] body, int at, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(body.AsSpan(at));
        return at + bytes.Length;
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
