using System.Text.Json;
using SendProxy.Telemetry;

namespace SendProxy.Receiving;

/// <summary>What one webhook's request came to.</summary>
internal sealed class WebhookCall(string requestId)
{
    public string RequestId => requestId;

    public Source? Source { get; set; }

    public string SourceName => Source?.Options.Name ?? "";

    /// <summary><c>accepted</c>, <c>duplicate</c>, <c>challenged</c>, <c>sender_left</c> or a rejection's word.</summary>
    public string Verdict { get; set; } = "sender_left";

    public int Stored { get; set; }

    public int Duplicates { get; set; }

    public int Bytes { get; set; }

    /// <summary>Fingerprint of the secret that matched.</summary>
    public string? Key { get; set; }
}

/// <summary>The one line and the counters at the end of each webhook.</summary>
internal sealed class WebhookTelemetry(WebhookMetrics metrics, LogSink sink, TelemetryOptions options, Func<double> draw, TimeProvider time)
{
    public void Ended(WebhookCall call, int status, TimeSpan duration)
    {
        metrics.Ended(call.SourceName, call.Verdict);
        var good = call.Verdict is "accepted" or "duplicate" or "challenged";
        if (good && call.Verdict != "challenged")
        {
            metrics.Acknowledged(call.SourceName, call.Stored, call.Duplicates, duration);
        }

        var dull = good && options.SuccessSample < 1 && draw() >= options.SuccessSample;
        if (options.Level <= LogLevel.Information && !dull)
        {
            sink.Write((call, status, duration, now: time.GetUtcNow()), static (json, x) => Write(json, x));
        }
    }

    // Nothing of the body: its events name recipients.
    private static void Write(Utf8JsonWriter json, (WebhookCall Call, int Status, TimeSpan Duration, DateTimeOffset Now) line)
    {
        var call = line.Call;
        json.WriteString("time", line.Now);
        json.WriteString("level", "info");
        json.WriteString("event", "webhook");
        json.WriteString("requestId", call.RequestId);
        json.WriteString("source", call.SourceName);
        json.WriteString("verdict", call.Verdict);
        json.WriteNumber("status", line.Status);
        json.WriteNumber("stored", call.Stored);
        json.WriteNumber("duplicates", call.Duplicates);
        json.WriteNumber("bytes", call.Bytes);
        json.WriteString("key", call.Key);
        json.WriteNumber("durationMs", Math.Round(line.Duration.TotalMilliseconds, 3));
    }
}
