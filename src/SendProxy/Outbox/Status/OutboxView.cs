using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using SendProxy.Outbox.Messages;
using SendProxy.Queueing;

namespace SendProxy.Outbox.Status;

/// <summary>A stored message as JSON, for its application and for operators. Neither body nor headers of the request.</summary>
internal static class OutboxView
{
    /// <param name="whole">Also the vendor's answer.</param>
    public static void Write(Utf8JsonWriter json, StoredItem item, bool whole)
    {
        var envelope = item.Metadata is { } metadata ? OutboxEnvelope.Read(metadata) : null;
        var response = OutboxResponse.Read(item.Response);
        var state = OutboxStates.Of(item.State);
        json.WriteStartObject();
        json.WriteString("id", item.Id);
        json.WriteString("state", state.Word());
        json.WriteString("reason", item.Reason);
        json.WriteString("sent", Sent(item, state));
        json.WriteString("route", item.Route);
        json.WriteString("method", envelope?.Method);
        json.WriteString("reference", envelope?.Reference is { Length: > 0 } reference ? reference : null);
        json.WriteString("idempotencyKey", item.IdempotencyKey);
        json.WriteNumber("attempts", item.Attempts);
        json.WriteString("accepted", item.Created);
        Time(json, "notBefore", envelope?.NotBefore);
        Time(json, "nextAttempt", state is OutboxState.Queued or OutboxState.Retrying ? item.Due : null);
        Time(json, "expires", item.Expires);
        Time(json, "finished", item.Finished);
        json.WriteString("messageId", response?.MessageId is { Length: > 0 } id ? id : null);
        if (whole && item.Response is { } kept)
        {
            WriteResponse(json, kept, response);
        }

        json.WriteEndObject();
    }

    // What may be said of it: as of a direct send.
    private static string Sent(StoredItem item, OutboxState state) => state switch
    {
        OutboxState.Sent => "yes",
        OutboxState.Unknown => "maybe",
        OutboxState.Failed or OutboxState.Expired => "no",
        _ => item.Attempting ? "maybe" : "no",
    };

    private static void WriteResponse(Utf8JsonWriter json, ItemResponse kept, OutboxResponse? response)
    {
        json.WriteStartObject("response");
        json.WriteNumber("status", kept.Status);
        json.WriteStartObject("headers");
        foreach (var header in (response?.Headers ?? []).GroupBy(h => h.Key, StringComparer.OrdinalIgnoreCase))
        {
            json.WriteString(header.Key, string.Join(", ", header.Select(h => h.Value)));
        }

        json.WriteEndObject();
        if (response?.Body is { } body)
        {
            WriteBody(json, body.Span);
        }

        json.WriteEndObject();
    }

    private static void WriteBody(Utf8JsonWriter json, ReadOnlySpan<byte> body)
    {
        if (IsJson(body))
        {
            json.WritePropertyName("body");
            json.WriteRawValue(body, skipInputValidation: true);
        }
        else if (Utf8.IsValid(body))
        {
            json.WriteString("body", Encoding.UTF8.GetString(body));
        }
        else
        {
            json.WriteBase64String("bodyBase64", body);
        }
    }

    private static bool IsJson(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            while (reader.Read())
            {
            }

            return !body.IsEmpty;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static void Time(Utf8JsonWriter json, string name, DateTimeOffset? time) =>
        json.WriteString(name, time?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
}
