using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using SendProxy.Outbox.Messages;
using SendProxy.Queueing;

namespace SendProxy.Outbox.Worker;

/// <summary>How a message ended.</summary>
/// <param name="Status">The vendor's last; 0 where there was none.</param>
internal sealed record MessageEnd(OutboxState State, string? Reason, int Status, int Attempts, string? MessageId);

/// <summary>Events <c>sendproxy.send.sent|failed|unknown|expired</c> on the way to the subscribers, as webhooks go.</summary>
/// <param name="wanted">Whether a subscriber of this configuration wants an event of this type.</param>
internal sealed class EndEvents(Func<string, bool> wanted, OutboxMetrics metrics, TimeProvider time)
{
    /// <summary>What <c>sources</c> of a subscriber calls the proxy.</summary>
    public const string Source = "sendproxy";

    /// <returns>Null where nobody wants it.</returns>
    public NewItem? Of(StoredItem item, OutboxEnvelope envelope, MessageEnd end)
    {
        var type = $"sendproxy.send.{end.State.Word()}";
        if (!wanted(type))
        {
            return null;
        }

        var id = Id(item.Id, end);
        var now = time.GetUtcNow();
        var about = new EventEnvelope
        {
            Source = Source,
            Id = $"evt_{id:n}",
            Type = type,
            MessageId = end.MessageId ?? "",
            At = now.ToString("O", CultureInfo.InvariantCulture),
            Received = now,
            ContentType = "application/json",
        };
        return new NewItem
        {
            Id = id,
            Queue = EventEnvelope.Events,
            SchemaVersion = EventEnvelope.Version,
            Route = Source,
            Metadata = about.ToBytes(),
            Body = Body(item, envelope, end, about),
        };
    }

    /// <summary>The journal had no room for one.</summary>
    public void Dropped() => metrics.EventDropped();

    // The same for the same end, so that a repeated commit stores it once; another after a replay. Version 8 (RFC 9562).
    private static Guid Id(Guid item, MessageEnd end)
    {
        Span<byte> id = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData([.. item.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes($"{end.State.Word()} {end.Attempts.ToString(CultureInfo.InvariantCulture)}")], id);
        id[6] = (byte)((id[6] & 0x0f) | 0x80);
        id[8] = (byte)((id[8] & 0x3f) | 0x80);
        return new Guid(id[..16], bigEndian: true);
    }

    private static ReadOnlyMemory<byte> Body(StoredItem item, OutboxEnvelope envelope, MessageEnd end, EventEnvelope about)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("id", about.Id);
            json.WriteString("type", about.Type);
            json.WriteString("created_at", about.At);
            json.WriteStartObject("data");
            json.WriteString("outbox_id", item.Id);
            json.WriteString("reference", envelope.Reference);
            json.WriteString("route", item.Route);
            json.WriteString("state", end.State.Word());
            json.WriteString("reason", end.Reason);
            json.WriteString("message_id", end.MessageId);
            json.WriteString("idempotency_key", item.IdempotencyKey);
            json.WriteNumber("attempts", end.Attempts);
            if (end.Status > 0)
            {
                json.WriteNumber("status", end.Status);
            }
            else
            {
                json.WriteNull("status");
            }

            json.WriteString("accepted_at", item.Created);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }
}
