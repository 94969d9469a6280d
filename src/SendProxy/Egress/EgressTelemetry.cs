using System.Text.Json;
using SendProxy.Errors;
using SendProxy.Telemetry;

namespace SendProxy.Egress;

/// <summary>A request's beginning, and the one line and the counters at its end, also of failed ones.</summary>
internal sealed partial class EgressTelemetry(
    EgressMetrics metrics, LogSink sink, TelemetryOptions options, Func<double> draw, TimeProvider time, ILogger<EgressTelemetry> log)
{
    // nginx's number for a caller that left; it reaches nobody but the log and the metrics.
    private const int CallerLeft = 499;

    /// <summary>Monotonic time, as <see cref="EgressContext.StartTimestamp"/> has it.</summary>
    public long Timestamp => time.GetTimestamp();

    public EgressContext Begin(HttpContext context)
    {
        var now = time.GetUtcNow();
        return new EgressContext(Secrets.RandomId.Next(now).ToString(), now, Timestamp)
        {
            TakesTrailers = HttpProtocol.IsHttp11(context.Request.Protocol) && !HttpMethods.IsHead(context.Request.Method),
        };
    }

    /// <summary>A request that a defect of this program's own has ended.</summary>
    public void Defect(Exception exception, EgressContext call) => Log.Defect(log, exception, call.RequestId);

    public void InFlight(int count) => metrics.InFlight(count);

    public void Ended(HttpContext context, EgressContext call)
    {
        var duration = time.GetElapsedTime(call.StartTimestamp);
        var left = context.RequestAborted.IsCancellationRequested && call.Outcome is null && call.Refusal is null;
        var status = left ? CallerLeft : context.Response.StatusCode;
        var code = call.Refusal is { } refusal ? ProxyErrorTable.Describe(refusal.Error).Code
            : left ? "caller_left"
            : call.IsBrokenOff ? ProxyErrorTable.Describe(ProxyError.AnswerIncomplete).Code
            : "";
        metrics.Ended(call.RouteName, status, code, duration.TotalSeconds);
        if (call.Message is { } message)
        {
            metrics.Keyed(call.RouteName, message.IdempotencyKey.Word);
            if (message.Streamed is { } streamed)
            {
                metrics.Streamed(call.RouteName, streamed);
            }
        }

        foreach (var part in call.Changes?.Parts ?? [])
        {
            metrics.ResponseChanged(call.Route!.Plan.Pipeline.Upstream.Name, part);
        }

        var dull = status < 400 && options.SuccessSample < 1 && draw() >= options.SuccessSample;
        if (options.Level <= LogLevel.Information && !dull)
        {
            sink.Write((call, status, code, duration, now: time.GetUtcNow(), method: context.Request.Method), static (json, x) => Write(json, x));
        }
    }

    private static void Write(Utf8JsonWriter json, (EgressContext Call, int Status, string Code, TimeSpan Duration, DateTimeOffset Now, string Method) line)
    {
        var call = line.Call;
        json.WriteString(Names.Time, line.Now);
        json.WriteString(Names.Level, Names.Info);
        json.WriteString(Names.Event, Names.Request);
        json.WriteString(Names.RequestId, call.RequestId);
        json.WriteString(Names.Route, call.RouteName);
        json.WriteString(Names.Upstream, call.Route?.Plan.Pipeline.Upstream.Name);
        json.WriteNumber(Names.Status, line.Status);
        json.WriteString(Names.Code, line.Code);
        json.WriteString(Names.Sent, call.Sent.Word());
        json.WriteNumber(Names.Attempts, call.Outcome?.Attempts ?? 0);
        json.WriteNumber(Names.QueuedMs, (long)(call.Outcome?.Queued.TotalMilliseconds ?? 0));
        json.WriteNumber(Names.DurationMs, Math.Round(line.Duration.TotalMilliseconds, 3));
        json.WriteNumber(Names.Bytes, call.Message?.BodyBytes ?? 0);
        json.WriteString(Names.Idempotency, call.Message?.IdempotencyKey.Word);
        json.WriteString(Names.Lane, call.Message?.Lane.Name);
        json.WriteString(Names.Key, call.Outcome?.KeyFingerprint);
        json.WriteString(Names.MessageId, call.Outcome?.MessageId);
        if (call.Changes is { } changes)
        {
            json.WriteString(Names.ResponseChanged, changes.ToString());
        }

        if (call.Recipients is { } recipients)
        {
            json.WriteString(Names.Recipient, recipients.Shown);
            json.WriteNumber(Names.Recipients, recipients.Count);
        }

        if (call.Outcome?.VendorRemaining is { } remaining)
        {
            json.WriteNumber(Names.LimitRemaining, remaining);
        }
    }

    // Encoded once: else each name is looked through for each line.
    private static class Names
    {
        public static readonly JsonEncodedText Time = JsonEncodedText.Encode("time");
        public static readonly JsonEncodedText Level = JsonEncodedText.Encode("level");
        public static readonly JsonEncodedText Event = JsonEncodedText.Encode("event");
        public static readonly JsonEncodedText RequestId = JsonEncodedText.Encode("requestId");
        public static readonly JsonEncodedText Route = JsonEncodedText.Encode("route");
        public static readonly JsonEncodedText Upstream = JsonEncodedText.Encode("upstream");
        public static readonly JsonEncodedText Status = JsonEncodedText.Encode("status");
        public static readonly JsonEncodedText Code = JsonEncodedText.Encode("code");
        public static readonly JsonEncodedText Sent = JsonEncodedText.Encode("sent");
        public static readonly JsonEncodedText Attempts = JsonEncodedText.Encode("attempts");
        public static readonly JsonEncodedText QueuedMs = JsonEncodedText.Encode("queuedMs");
        public static readonly JsonEncodedText DurationMs = JsonEncodedText.Encode("durationMs");
        public static readonly JsonEncodedText Bytes = JsonEncodedText.Encode("bytes");
        public static readonly JsonEncodedText Idempotency = JsonEncodedText.Encode("idempotency");
        public static readonly JsonEncodedText Lane = JsonEncodedText.Encode("lane");
        public static readonly JsonEncodedText Key = JsonEncodedText.Encode("key");
        public static readonly JsonEncodedText MessageId = JsonEncodedText.Encode("messageId");
        public static readonly JsonEncodedText ResponseChanged = JsonEncodedText.Encode("responseChanged");
        public static readonly JsonEncodedText Recipient = JsonEncodedText.Encode("recipient");
        public static readonly JsonEncodedText Recipients = JsonEncodedText.Encode("recipients");
        public static readonly JsonEncodedText LimitRemaining = JsonEncodedText.Encode("limitRemaining");
        public static readonly JsonEncodedText Info = JsonEncodedText.Encode("info");
        public static readonly JsonEncodedText Request = JsonEncodedText.Encode("request");
    }

    private static partial class Log
    {
        [LoggerMessage(240, LogLevel.Error, "A request failed by a defect of the proxy; request id {RequestId}")]
        public static partial void Defect(ILogger log, Exception exception, string requestId);
    }
}
