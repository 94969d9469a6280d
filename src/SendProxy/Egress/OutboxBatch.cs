using System.Buffers;
using System.Text.Json;
using SendProxy.Egress.Bodies;
using SendProxy.Errors;
using SendProxy.Outbox.Intake;
using SendProxy.Outbox.Status;

namespace SendProxy.Egress;

/// <summary>
/// <c>POST /sendproxy/outbox</c>: up to 1,000 requests, one JSON object a line, each checked as a request of its own and answered on a line
/// of its own; all that are good are stored together.
/// </summary>
internal sealed class OutboxBatch(RequestPreparer preparer, BodyReader reader, OutboxIntake intake, TimeProvider time)
{
    private const int MaxRequests = 1000;
    private static readonly BodyLimits Bounds = new(16 << 20, 0, "a batch");

    public static bool IsIts(HttpRequest request) =>
        HttpMethods.IsPost(request.Method) && request.Path.Value is { } path && path.TrimEnd('/').Length == OutboxEndpoint.Path.Length;

    /// <returns>Null where it has answered.</returns>
    public async ValueTask<Refusal?> HandleAsync(HttpContext context, EgressState state)
    {
        var (body, _, unread) = await reader.ReadAsync(context.Request, Bounds, context.RequestAborted);
        if (body is null)
        {
            return unread;
        }

        using (body)
        {
            var lines = Lines(body.Memory);
            if (lines.Count is 0 or > MaxRequests)
            {
                return Refusal.NotSent(ProxyError.BodyInvalid, $"A batch has 1 to {MaxRequests} requests, one JSON object a line; this one has {lines.Count}.");
            }

            var calls = new List<BatchCall>(lines.Count);
            try
            {
                foreach (var line in lines)
                {
                    calls.Add(await PrepareAsync(context, state, line));
                }

                var good = calls.Where(c => c.Refusal is null).ToArray();
                var accepted = await intake.AcceptAsync([.. good.Select(c => new OutboxSubmission(c.Call!.Message!, c.Call.Storing!.Terms))], context.RequestAborted);
                for (var i = 0; i < good.Length; i++)
                {
                    good[i].Accepted = accepted[i];
                }

                await AnswerAsync(context, calls);
            }
            finally
            {
                calls.ForEach(c => c.Dispose());
            }
        }

        return null;
    }

    private async ValueTask<BatchCall> PrepareAsync(HttpContext context, EgressState state, ReadOnlyMemory<byte> line)
    {
        var now = time.GetUtcNow();
        var call = new EgressContext(Secrets.RandomId.Next(now).ToString(), now, time.GetTimestamp());
        var (inner, unreadable) = BatchRequest.Read(line, context);
        var refusal = unreadable ?? await preparer.PrepareOfBatchAsync(inner!, state, call);
        return new BatchCall(call, refusal ?? (call is { Storing.When: StoreWhen.Now, Message: not null }
            ? null
            : Refusal.NotSent(ProxyError.RequestMalformed, "It is not a request that can be stored: its method reads, its body is too large, or the outbox has no such path.")));
    }

    private async Task AnswerAsync(HttpContext context, List<BatchCall> calls)
    {
        var buffer = new ArrayBufferWriter<byte>(calls.Count * 256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            foreach (var call in calls)
            {
                call.Write(json);
                json.Flush();
                buffer.Write("\n"u8);
                json.Reset();
            }
        }

        context.Response.ContentType = "application/x-ndjson";
        context.Response.ContentLength = buffer.WrittenCount;
        context.Response.Headers["SendProxy-Durability"] = intake.Durability;
        await context.Response.Body.WriteAsync(buffer.WrittenMemory, CancellationToken.None);
    }

    private static List<ReadOnlyMemory<byte>> Lines(ReadOnlyMemory<byte> body)
    {
        var lines = new List<ReadOnlyMemory<byte>>();
        while (!body.IsEmpty)
        {
            var end = body.Span.IndexOf((byte)'\n');
            var line = end < 0 ? body : body[..end];
            body = end < 0 ? default : body[(end + 1)..];
            if (line.Span.ContainsAnyExcept((byte)' ', (byte)'\t', (byte)'\r'))
            {
                lines.Add(line);
            }
        }

        return lines;
    }

    /// <summary>One request of a batch.</summary>
    private sealed class BatchCall(EgressContext call, Refusal? refusal) : IDisposable
    {
        public EgressContext? Call => call;

        public Refusal? Refusal => Accepted?.Refusal ?? refusal;

        public Acceptance? Accepted { get; set; }

        public void Write(Utf8JsonWriter json)
        {
            json.WriteStartObject();
            if (Refusal is { } refused)
            {
                json.WriteNumber("status", refused.Status);
                json.WritePropertyName("problem");
                json.WriteRawValue(Problem.Body(refused, call.RequestId).Span, skipInputValidation: true);
            }
            else
            {
                json.WriteNumber("status", StatusCodes.Status202Accepted);
                json.WriteString("location", $"{OutboxEndpoint.Path}/{Accepted!.Value.Id}");
                AcceptedView.Write(json, Accepted.Value, call.Message!, call.Storing!.Terms);
            }

            json.WriteEndObject();
        }

        public void Dispose()
        {
            // What is not stored, and what was stored before, is not counted at the recipients' bounds.
            if (Accepted is not { Refusal: null, IsDuplicate: false })
            {
                call.Recipients?.GiveBack();
            }

            call.Body.Dispose();
            call.Leave();
        }
    }
}
