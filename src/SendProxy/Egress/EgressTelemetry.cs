using System.Text.Json;
using SendProxy.Errors;
using SendProxy.Telemetry;

namespace SendProxy.Egress;

/// <summary>The one line and the counters at the end of each request, also of failed ones.</summary>
internal sealed class EgressTelemetry(EgressMetrics metrics, LogSink sink, TelemetryOptions options, Func<double> draw, TimeProvider time)
{
    // nginx's number for a caller that left; it reaches nobody but the log and the metrics.
    private const int CallerLeft = 499;

    public void InFlight(int count) => metrics.InFlight(count);

    public void Ended(HttpContext context, EgressCall call, TimeSpan duration)
    {
        var left = context.RequestAborted.IsCancellationRequested && call.Outcome is null && call.Refusal is null;
        var status = left ? CallerLeft : context.Response.StatusCode;
        var code = call.Refusal is { } refusal ? ProxyErrorTable.Describe(refusal.Error).Code
            : left ? "caller_left"
            : call.IsBrokenOff ? ProxyErrorTable.Describe(ProxyError.AnswerIncomplete).Code
            : "";
        metrics.Ended(call.RouteName, status, code, duration.TotalSeconds);
        if (call.Message is { } message)
        {
            metrics.Keyed(call.RouteName, message.Key.Word);
            if (message.Streamed is { } streamed)
            {
                metrics.Streamed(call.RouteName, streamed);
            }
        }

        var dull = status < 400 && options.SuccessSample < 1 && draw() >= options.SuccessSample;
        if (options.Level <= LogLevel.Information && !dull)
        {
            sink.Write((call, status, code, duration, now: time.GetUtcNow(), method: context.Request.Method), static (json, x) => Write(json, x));
        }
    }

    private static void Write(Utf8JsonWriter json, (EgressCall Call, int Status, string Code, TimeSpan Duration, DateTimeOffset Now, string Method) line)
    {
        var call = line.Call;
        json.WriteString("time", line.Now);
        json.WriteString("level", "info");
        json.WriteString("event", "request");
        json.WriteString("requestId", call.RequestId);
        json.WriteString("route", call.RouteName);
        json.WriteString("upstream", call.Route?.Plan.Line.Upstream.Name);
        json.WriteNumber("status", line.Status);
        json.WriteString("code", line.Code);
        json.WriteString("sent", call.Sent.Word());
        json.WriteNumber("attempts", call.Outcome?.Attempts ?? 0);
        json.WriteNumber("queuedMs", (long)(call.Outcome?.Queued.TotalMilliseconds ?? 0));
        json.WriteNumber("durationMs", Math.Round(line.Duration.TotalMilliseconds, 3));
        json.WriteNumber("bytes", call.Message?.BodyBytes ?? 0);
        json.WriteString("idempotency", call.Message?.Key.Word);
        json.WriteString("lane", call.Message?.Lane.Name);
        json.WriteString("key", call.Outcome?.KeyFingerprint);
        json.WriteString("messageId", call.Outcome?.MessageId);
        if (call.Recipients is { } recipients)
        {
            json.WriteString("recipient", recipients.Shown);
            json.WriteNumber("recipients", recipients.Count);
        }

        if (call.Outcome?.VendorRemaining is { } remaining)
        {
            json.WriteNumber("limitRemaining", remaining);
        }
    }
}
