using System.Text.Json;
using SendProxy.Queueing;
using SendProxy.Telemetry;

namespace SendProxy.FanOut;

/// <summary>What became of a delivery in one attempt.</summary>
/// <param name="Next">When it is tried again; null where it ended or costs nothing.</param>
/// <param name="Dead">It was put aside.</param>
internal sealed record DeliveryEnd(
    string Subscriber, EventEnvelope Envelope, int Attempt, DeliveryResult Result, DateTimeOffset? Next, bool Dead, int Bytes, TimeSpan Duration);

/// <summary>The one line and the counters at the end of each attempt.</summary>
internal sealed class DeliveryTelemetry(FanOutMetrics metrics, LogSink sink, TelemetryOptions options, Func<double> draw, TimeProvider time)
{
    public void Ended(DeliveryEnd end)
    {
        var outcome = end.Result.Outcome;
        metrics.Attempted(end.Subscriber, DeliveryAttempt.Word(outcome), end.Duration);
        if (outcome == DeliveryOutcome.Delivered)
        {
            metrics.Delivered(end.Subscriber, time.GetUtcNow() - end.Envelope.Received);
        }

        if (end.Dead)
        {
            metrics.Died(end.Subscriber);
        }

        var dull = outcome == DeliveryOutcome.Delivered && options.SuccessSample < 1 && draw() >= options.SuccessSample;
        if (options.Level <= LogLevel.Information && !dull)
        {
            sink.Write((end, now: time.GetUtcNow()), static (json, x) => Write(json, x.end, x.now));
        }
    }

    // Nothing of the body: its events name recipients.
    private static void Write(Utf8JsonWriter json, DeliveryEnd end, DateTimeOffset now)
    {
        json.WriteString("time", now);
        json.WriteString("level", end.Dead ? "error" : "info");
        json.WriteString("event", "delivery");
        json.WriteString("id", end.Envelope.Id);
        json.WriteString("subscriber", end.Subscriber);
        json.WriteString("source", end.Envelope.Source);
        json.WriteString("type", end.Envelope.Type);
        json.WriteString("messageId", end.Envelope.MessageId);
        json.WriteString("outcome", DeliveryAttempt.Word(end.Result.Outcome));
        json.WriteNumber("status", end.Result.Status);
        json.WriteNumber("attempt", end.Attempt);
        json.WriteBoolean("dead", end.Dead);
        if (end.Next is { } next)
        {
            json.WriteString("next", next);
        }

        json.WriteNumber("ageMs", (long)(now - end.Envelope.Received).TotalMilliseconds);
        json.WriteNumber("durationMs", Math.Round(end.Duration.TotalMilliseconds, 3));
        json.WriteNumber("bytes", end.Bytes);
    }
}
