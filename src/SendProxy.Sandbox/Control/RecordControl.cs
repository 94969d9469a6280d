using System.Text.Json;
using SendProxy.Sandbox.Recording;

namespace SendProxy.Sandbox.Control;

/// <summary>The ledger and the log of requests.</summary>
internal static class RecordControl
{
    public static void MapRecords(this ControlDoor door, MessageLedger ledger, RequestLog requests)
    {
        door.On("GET", "/sandbox/ledger", call => ControlAnswer.Ok(json => WriteLedger(json, ledger, call)));
        door.On("GET", "/sandbox/ledger/summary", _ => ControlAnswer.Ok(json => WriteSummary(json, ledger.Summary())));
        door.On("DELETE", "/sandbox/ledger", _ =>
        {
            ledger.Clear();
            return ControlAnswer.Done;
        });
        door.On("GET", "/sandbox/requests", call => ControlAnswer.Ok(json => WriteRequests(json, requests, call)));
        door.On("DELETE", "/sandbox/requests", _ =>
        {
            requests.Clear();
            return ControlAnswer.Done;
        });
    }

    private static void WriteLedger(Utf8JsonWriter json, MessageLedger ledger, ControlCall call)
    {
        var page = ledger.Read(call.Since, call.Limit);
        json.WriteNumber("effects", ledger.Effects);
        json.WriteNumber("dropped", ledger.Dropped);
        // The number to ask for next with ?since=.
        json.WriteNumber("next", page.Count > 0 ? page[^1].Number : call.Since);
        json.WriteStartArray("entries");
        foreach (var entry in page)
        {
            json.WriteStartObject();
            json.WriteNumber("number", entry.Number);
            json.WriteString("message_id", entry.MessageId);
            json.WriteString("channel", entry.Channel);
            json.WriteString("path", entry.Path);
            json.WriteString("key_fingerprint", entry.KeyFingerprint);
            json.WriteString("idempotency_key", entry.IdempotencyKey);
            json.WriteString("body_sha256", Convert.ToHexStringLower(entry.BodyHash));
            json.WriteString("at", Timestamps.Precise(entry.At));
            json.WriteString("intent", entry.Intent);
            json.WriteString("fault", entry.Fault);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteSummary(Utf8JsonWriter json, LedgerSummary summary)
    {
        json.WriteNumber("effects", summary.Effects);
        json.WriteNumber("held", summary.Held);
        json.WriteNumber("dropped", summary.Dropped);
        WriteCounts(json, "intents", summary.Intents);
        WriteCounts(json, "idempotency_keys", summary.Keys);
    }

    private static void WriteCounts(Utf8JsonWriter json, string name, NameCounts counts)
    {
        json.WriteStartObject(name);
        json.WriteNumber("distinct", counts.Distinct);
        json.WriteNumber("with_more_than_one_effect", counts.Repeated);
        json.WriteNumber("surplus_effects", counts.Surplus);
        json.WriteNumber("untracked_effects", counts.Untracked);
        json.WriteStartObject("samples");
        foreach (var (sample, effects) in counts.Samples) { json.WriteNumber(sample, effects); }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteRequests(Utf8JsonWriter json, RequestLog requests, ControlCall call)
    {
        var page = requests.Read(call.Since, call.Limit);
        json.WriteNumber("arrived", requests.Arrived);
        json.WriteNumber("dropped", requests.Dropped);
        json.WriteNumber("next", page.Count > 0 ? page[^1].Number : call.Since);
        json.WriteStartArray("entries");
        foreach (var entry in page)
        {
            json.WriteStartObject();
            json.WriteNumber("number", entry.Number);
            json.WriteString("at", Timestamps.Precise(entry.At));
            json.WriteString("method", entry.Method);
            json.WriteString("path", entry.Path);
            json.WriteNumber("status", entry.Status);
            json.WriteString("protocol", entry.Protocol);
            json.WriteString("key_fingerprint", entry.KeyFingerprint);
            json.WriteString("idempotency_key", entry.IdempotencyKey);
            json.WriteString("fault", entry.Fault);
            json.WriteStartArray("headers");
            foreach (var name in entry.Headers) { json.WriteStringValue(name); }
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
