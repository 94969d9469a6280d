using System.Buffers;
using System.Text.Json;
using SendProxy.Queueing;
using SendProxy.Sending;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Outbox.Messages;

/// <summary>What is kept of the vendor's last answer: its status beside the item; message id, headers and body sealed.</summary>
/// <param name="MessageId">Empty where it names none.</param>
/// <param name="Body">Null where it was too large to be kept.</param>
internal sealed record OutboxResponse(int Status, string MessageId, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte>? Body)
{
    private const int MaxMessageId = 512;
    private const int MaxHeaderBytes = 8 * 1024;

    /// <returns>Null where there was none.</returns>
    public static ItemResponse? Of(SendOutcome outcome)
    {
        if (outcome.Response is not { } response)
        {
            return null;
        }

        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("messageId", outcome.MessageId is { Length: <= MaxMessageId } id ? id : "");
            json.WriteStartArray("headers");
            var room = MaxHeaderBytes;
            foreach (var (name, values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated))
            {
                var value = values.ToString();
                room -= name.Length + value.Length;
                if (room >= 0 && HeaderNames.ComesBack(name))
                {
                    json.WriteStringValue(name);
                    json.WriteStringValue(value);
                }
            }

            json.WriteEndArray();
            if (outcome.Body is { } body)
            {
                json.WriteBase64String("body", body.Span);
            }

            json.WriteEndObject();
        }

        return new ItemResponse((int)response.StatusCode, buffer.WrittenMemory);
    }

    /// <returns>Null where nothing was kept, or it does not open.</returns>
    public static OutboxResponse? Read(ItemResponse? stored)
    {
        if (stored is null || stored.Body.IsEmpty)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(stored.Body);
            var root = document.RootElement;
            var headers = root.GetProperty("headers").EnumerateArray().Select(e => e.GetString() ?? "").ToArray();
            ReadOnlyMemory<byte>? body = null;
            if (root.TryGetProperty("body", out var kept))
            {
                body = kept.GetBytesFromBase64();
            }

            return new OutboxResponse(
                stored.Status, root.GetProperty("messageId").GetString() ?? "",
                [.. headers.Chunk(2).Where(c => c.Length == 2).Select(c => KeyValuePair.Create(c[0], c[1]))], body);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
