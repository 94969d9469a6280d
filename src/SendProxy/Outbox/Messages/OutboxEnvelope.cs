using System.Buffers;
using System.Globalization;
using System.Text.Json;
using SendProxy.Sending.Idempotency;

namespace SendProxy.Outbox.Messages;

/// <summary>What is kept of an accepted message beside its body and its idempotency key: metadata of items of the queue <c>outbox</c>.</summary>
internal sealed record OutboxEnvelope
{
    /// <summary>The queue's name.</summary>
    public const string Queue = "outbox";

    /// <summary>What an envelope's reader must know; an item's schema version.</summary>
    public const int Version = 1;

    public required string Method { get; init; }

    /// <summary>Origin form: exactly what is sent.</summary>
    public required string Target { get; init; }

    public required string Upstream { get; init; }

    public required IdempotencyKeyOrigin KeyOrigin { get; init; }

    /// <summary>SHA-256 of what makes a request the same.</summary>
    public required byte[] Fingerprint { get; init; }

    /// <summary>Its lane's name.</summary>
    public required string Lane { get; init; }

    /// <summary>The application's own name for it; empty where it gave none.</summary>
    public string Reference { get; init; } = "";

    /// <summary>Not to be sent before; null: at once.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>What goes on from the caller.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    public string Header(string name) => Headers.FirstOrDefault(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value ?? "";

    public ReadOnlyMemory<byte> ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("method", Method);
            json.WriteString("target", Target);
            json.WriteString("upstream", Upstream);
            json.WriteNumber("keyOrigin", (int)KeyOrigin);
            json.WriteBase64String("fingerprint", Fingerprint);
            json.WriteString("lane", Lane);
            json.WriteString("reference", Reference);
            json.WriteString("notBefore", NotBefore?.ToString("O", CultureInfo.InvariantCulture));
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
    public static OutboxEnvelope? Read(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var root = document.RootElement;
            string Text(string name) => root.GetProperty(name).GetString() ?? "";
            var headers = root.GetProperty("headers").EnumerateArray().Select(e => e.GetString() ?? "").ToArray();
            return new OutboxEnvelope
            {
                Method = Text("method"),
                Target = Text("target"),
                Upstream = Text("upstream"),
                KeyOrigin = (IdempotencyKeyOrigin)root.GetProperty("keyOrigin").GetInt32(),
                Fingerprint = root.GetProperty("fingerprint").GetBytesFromBase64(),
                Lane = Text("lane"),
                Reference = Text("reference"),
                NotBefore = root.GetProperty("notBefore") is { ValueKind: JsonValueKind.String } at ? at.GetDateTimeOffset() : null,
                Headers = [.. headers.Chunk(2).Where(c => c.Length == 2).Select(c => KeyValuePair.Create(c[0], c[1]))],
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }
}
