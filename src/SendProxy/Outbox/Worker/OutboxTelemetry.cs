using System.Text.Json;
using SendProxy.Outbox.Messages;
using SendProxy.Telemetry;

namespace SendProxy.Outbox.Worker;

/// <summary>How a try of a stored message went.</summary>
/// <param name="Next">When it is tried again; null where it ended.</param>
/// <param name="Status">The vendor's last status; 0 where there was none.</param>
internal sealed record OutboxTry(
    Guid Id, string Route, string Upstream, OutboxState State, string? Reason, int Status, int Attempts, string? MessageId, DateTimeOffset Accepted, DateTimeOffset? Next);

/// <summary>The one line and the counters at the end of each try. Neither recipient nor body, nor the application's reference.</summary>
internal sealed class OutboxTelemetry(OutboxMetrics metrics, LogSink sink, TelemetryOptions options, TimeProvider time)
{
    public void Ended(OutboxTry end)
    {
        if (end.State.IsFinished())
        {
            metrics.Ended(end.Route, end.State, time.GetUtcNow() - end.Accepted);
        }
        else
        {
            metrics.Retried(end.Route);
        }

        if (options.Level <= LogLevel.Information)
        {
            sink.Write((end, now: time.GetUtcNow()), static (json, x) => Write(json, x.end, x.now));
        }
    }

    private static void Write(Utf8JsonWriter json, OutboxTry end, DateTimeOffset now)
    {
        json.WriteString("time", now);
        json.WriteString("level", end.State is OutboxState.Failed or OutboxState.Unknown ? "error" : "info");
        json.WriteString("event", "outbox");
        json.WriteString("id", end.Id);
        json.WriteString("route", end.Route);
        json.WriteString("upstream", end.Upstream);
        json.WriteString("state", end.State.Word());
        json.WriteString("reason", end.Reason);
        json.WriteNumber("status", end.Status);
        json.WriteNumber("attempts", end.Attempts);
        json.WriteString("messageId", end.MessageId);
        json.WriteNumber("ageMs", (long)(now - end.Accepted).TotalMilliseconds);
        if (end.Next is { } next)
        {
            json.WriteString("next", next);
        }
    }
}
