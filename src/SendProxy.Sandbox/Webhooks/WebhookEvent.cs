using System.Buffers;
using System.Text.Json;

namespace SendProxy.Sandbox.Webhooks;

/// <summary>One event.</summary>
/// <param name="Id">The same for each attempt.</param>
/// <param name="Type">As <c>message.delivered</c>.</param>
/// <param name="CreatedAt">When it happened.</param>
/// <param name="MessageId">The message it is about, or null.</param>
/// <param name="Data">The member <c>data</c>: a JSON object.</param>
internal sealed record WebhookEvent(
    string Id, string Type, DateTimeOffset CreatedAt, string? MessageId, ReadOnlyMemory<byte> Data)
{
    private const string ApiVersion = "2026-01-01";

    /// <summary>The body of a delivery with this event alone.</summary>
    public byte[] ToBody()
    {
        var buffer = new ArrayBufferWriter<byte>(Data.Length + 256);
        using (var json = new Utf8JsonWriter(buffer)) { Write(json); }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The body of a delivery with several: an array.</summary>
    public static byte[] ToBatch(IEnumerable<WebhookEvent> events)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var one in events) { one.Write(json); }
            json.WriteEndArray();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("id", Id);
        json.WriteString("type", Type);
        json.WriteString("created_at", Timestamps.Text(CreatedAt));
        json.WriteString("api_version", ApiVersion);
        json.WritePropertyName("data");
        json.WriteRawValue(Data.Span, skipInputValidation: true);
        json.WriteEndObject();
    }
}
