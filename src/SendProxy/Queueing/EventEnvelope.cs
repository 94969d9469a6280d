using System.Buffers;
using System.Text.Json;

namespace SendProxy.Queueing;

/// <summary>
/// What is kept of an event beside its body: metadata of items in the queues <c>events</c> and <c>deliveries</c>. It stands
/// here because several rooms put events in, and fan-out takes them out.
/// </summary>
internal sealed record EventEnvelope
{
    /// <summary>Queue of events that were accepted and wait for their fan-out.</summary>
    public const string Events = "events";

    /// <summary>Queue of events on their way to one subscriber.</summary>
    public const string Deliveries = "deliveries";

    /// <summary>What an envelope's reader must know; an item's <see cref="NewItem.SchemaVersion"/>.</summary>
    public const int Version = 1;

    /// <summary>The webhook source, or <c>sendproxy</c>.</summary>
    public required string Source { get; init; }

    /// <summary>Stable over attempts, replays and restarts: subscribers get it as <c>webhook-id</c>.</summary>
    public required string Id { get; init; }

    /// <summary>As <c>message.delivered</c>; empty where the event does not say.</summary>
    public required string Type { get; init; }

    /// <summary>The message that it is about; empty where the event does not say.</summary>
    public string MessageId { get; init; } = "";

    /// <summary>The event's own time as written; empty where it does not say.</summary>
    public string At { get; init; } = "";

    public required DateTimeOffset Received { get; init; }

    public string ContentType { get; init; } = "";

    /// <summary>The request's headers, without those that end at this proxy.</summary>
    public IReadOnlyList<(string Name, string Value)> Headers { get; init; } = [];

    public ReadOnlyMemory<byte> ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("source", Source);
            json.WriteString("id", Id);
            json.WriteString("type", Type);
            json.WriteString("messageId", MessageId);
            json.WriteString("at", At);
            json.WriteString("received", Received);
            json.WriteString("contentType", ContentType);
            json.WriteStartArray("headers");
            foreach (var (name, value) in Headers)
            {
                json.WriteStringValue(name);
                json.WriteStringValue(value);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    /// <returns>Null where the bytes are no envelope of this version.</returns>
    public static EventEnvelope? Read(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var root = document.RootElement;
            string Text(string name) => root.GetProperty(name).GetString() ?? "";
            var headers = root.GetProperty("headers").EnumerateArray().Select(e => e.GetString() ?? "").ToArray();
            return new EventEnvelope
            {
                Source = Text("source"),
                Id = Text("id"),
                Type = Text("type"),
                MessageId = Text("messageId"),
                At = Text("at"),
                Received = root.GetProperty("received").GetDateTimeOffset(),
                ContentType = Text("contentType"),
                Headers = [.. headers.Chunk(2).Where(c => c.Length == 2).Select(c => (c[0], c[1]))],
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
