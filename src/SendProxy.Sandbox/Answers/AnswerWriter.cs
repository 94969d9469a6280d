using System.Buffers;
using System.Text;
using SendProxy.Sandbox.Faults;
using SendProxy.Sandbox.Server;

namespace SendProxy.Sandbox.Answers;

/// <summary>Puts answers on the wire, also those that a fault cripples.</summary>
internal sealed class AnswerWriter(RateHeaderOptions options, Clock clock)
{
    private const int UsualSlownessMs = 2000;
    private static readonly byte[] Page = "<html><body>202 Accepted</body></html>"u8.ToArray();
    private readonly RateHeaders _rateHeaders = new(options);
    private readonly RawAnswer _raw = new(clock);

    /// <summary>Writes the answer, as the exchange's fault wants it.</summary>
    public Task WriteAsync(Exchange exchange, Answer answer)
    {
        var fault = exchange.Fault;
        switch (fault?.Action)
        {
            case FaultAction.PartialBody:
                return WritePartAsync(exchange, answer);
            case FaultAction.SlowHeaders:
                Prepare(exchange, answer);
                return _raw.DripAsync(exchange.Context, answer.Body, fault.Length(UsualSlownessMs));
            case FaultAction.WrongContentType:
                WriteWhole(exchange, answer with { ContentType = "text/html; charset=utf-8", Body = Page });
                return Task.CompletedTask;
            case FaultAction.KeyEcho:
                WriteWhole(exchange, WithKey(answer, exchange));
                return Task.CompletedTask;
            default:
                WriteWhole(exchange, answer);
                return Task.CompletedTask;
        }
    }

    /// <summary>Cuts the connection without an answer.</summary>
    public static void Drop(Exchange exchange) => RawAnswer.Cut(exchange.Context);

    private void WriteWhole(Exchange exchange, Answer answer)
    {
        Prepare(exchange, answer);
        // No flush: the server sends head and body in one write when the request ends.
        exchange.Context.Response.BodyWriter.Write(answer.Body);
    }

    private async Task WritePartAsync(Exchange exchange, Answer answer)
    {
        Prepare(exchange, answer);
        var response = exchange.Context.Response;
        response.BodyWriter.Write(answer.Body.AsSpan(0, answer.Body.Length / 2));
        await response.BodyWriter.FlushAsync(clock.Stopping);
        await RawAnswer.LingerAsync(exchange.Context, clock.Stopping);
        Drop(exchange);
    }

    private void Prepare(Exchange exchange, Answer answer)
    {
        var now = clock.Now;
        var response = exchange.Context.Response;
        var headers = response.Headers;
        exchange.Entry.Status = response.StatusCode = answer.Status;
        headers["X-Request-Id"] = exchange.RequestId;
        _rateHeaders.WriteLimit(headers, exchange.Verdict, now);
        _rateHeaders.WriteRetryAfter(headers, answer, now);
        if (answer.IsReplay) { headers["Idempotent-Replayed"] = "true"; }
        if (answer.ExtraHeader is { } extra) { headers[extra.Key] = extra.Value; }
        // The server's own Date is real time; hints are judged against the answer's Date.
        if (clock.IsSimulated) { headers.Date = RateHeaders.HttpDate(now); }
        headers.ContentType = answer.ContentType;
        headers.ContentLength = answer.Body.Length;
    }

    private static Answer WithKey(Answer answer, Exchange exchange)
    {
        var authorization = exchange.Request.Headers.Authorization.ToString();
        var key = authorization[(authorization.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        // The JSON's last brace gives way to one more member.
        var member = Encoding.UTF8.GetBytes($",\"debug\":\"{key}\"}}");
        byte[] body = [.. answer.Body.AsSpan(0, answer.Body.Length - 1), .. member];
        return answer with { Body = body, ExtraHeader = new("X-Debug-Authorization", authorization) };
    }
}
