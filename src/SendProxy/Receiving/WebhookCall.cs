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

    /// <summary>Why it was not taken; null where it was.</summary>
    public Rejection? Reason { get; set; }

    public int Stored { get; set; }

    public int Duplicates { get; set; }

    public int Bytes { get; set; }

    /// <summary>Fingerprint of the secret that matched.</summary>
    public string? Key { get; set; }
}

/// <summary>The one line and the counters at the end of each webhook.</summary>
internal sealed partial class WebhookTelemetry(
    WebhookMetrics metrics, LogSink sink, TelemetryOptions options, Func<double> draw, TimeProvider time, ILogger<WebhookTelemetry> log)
{
    public void Ended(WebhookCall call, int status, TimeSpan duration)
    {
        metrics.Ended(call.SourceName, call.Verdict);
        if (call is { Source: { } source, Reason: Rejection.SignatureMismatch } && source.Mismatches.Count(time.GetTimestamp(), time.TimestampFrequency) is > 0 and var times)
        {
            Log.SignatureMismatch(log, source.Options.Name, times);
        }

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

    private static partial class Log
    {
        [LoggerMessage(260, LogLevel.Warning,
            "webhooks.sources.{Source}: no secret of it made the signature of a webhook, {Times} times since this was told last (once a minute at most). The vendor signs with another secret than "
            + "the one that is mounted: mount it beside the old one. Or somebody else posts here")]
        public static partial void SignatureMismatch(ILogger logger, string source, long times);
    }
}
