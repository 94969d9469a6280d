using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Control;
using SendProxy.Sandbox.Faults;
using SendProxy.Sandbox.Keys;
using SendProxy.Sandbox.Limits;
using SendProxy.Sandbox.Recording;
using SendProxy.Sandbox.Sending;

namespace SendProxy.Sandbox.Server;

/// <summary>
/// Where each request comes in: /sandbox is for tests; everything else is the API, with
/// 1. a line in the log, 2. an address, 3. the API key, 4. the limits, 5. the early fault, 6. the endpoint.
/// </summary>
internal sealed class FrontDoor(
    RequestLog requests,
    ApiKeys keys,
    LimitGate limits,
    FaultPicker faults,
    SendEndpoint sends,
    LookupEndpoint lookups,
    ControlDoor control,
    AnswerWriter writer,
    IdSource ids,
    TimeProvider time,
    CancellationToken stop)
{
    public Task HandleAsync(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "/";
        return path.StartsWith("/sandbox", StringComparison.Ordinal)
            ? control.HandleAsync(context, path)
            : GuardedAsync(context);
    }

    private async Task GuardedAsync(HttpContext context)
    {
        // 1
        var entry = requests.Arrive(context.Request, time.GetUtcNow());
        var exchange = new Exchange(context, time, ids.Next("req_"), entry);
        try
        {
            await ApiAsync(exchange);
        }
        catch (Exception problem) when (problem is IOException or OperationCanceledException)
        {
            // The client went away or the sandbox stops: there is nobody to answer.
            context.Abort();
        }
#pragma warning disable CA1031 // The outermost place: whatever it is, a client sees no more than a 500.
        catch (Exception)
#pragma warning restore CA1031
        {
            if (context.Response.HasStarted) { context.Abort(); }
            else { await writer.WriteAsync(exchange, Answer.Of(ApiError.Internal, exchange.RequestId)); }
        }
    }

    private async Task ApiAsync(Exchange exchange)
    {
        // 2
        var call = ApiCall.Of(exchange.Path);
        if (call.Kind == ApiCallKind.Unknown || call.Method != exchange.Entry.Method)
        {
            exchange.Verdict = limits.Look(exchange.Arrived);
            if (call.Method is { } allowed) { exchange.Context.Response.Headers.Allow = allowed; }
            var error = call.Kind == ApiCallKind.Unknown ? ApiError.NotFound : ApiError.MethodNotAllowed;
            await writer.WriteAsync(exchange, Answer.Of(error, exchange.RequestId));
            return;
        }

        // 3
        exchange.Key = keys.Find(exchange.Request.Headers.Authorization);
        if (exchange.Key is null)
        {
            exchange.Verdict = limits.Look(exchange.Arrived);
            await writer.WriteAsync(exchange, Answer.Of(ApiError.InvalidApiKey, exchange.RequestId));
            return;
        }

        exchange.Entry.KeyFingerprint = exchange.Key.Fingerprint;

        // 4
        exchange.Verdict = limits.Acquire(exchange.Arrived, out var lease);
        try
        {
            await AdmittedAsync(exchange, call);
        }
        finally
        {
            lease.Release();
        }
    }

    private Task AdmittedAsync(Exchange exchange, ApiCall call)
    {
        if (!exchange.Verdict.Passes)
        {
            return writer.WriteAsync(exchange, Answer.Of(ApiError.RateLimited, exchange.RequestId)
                with
            { RetryAfter = exchange.Verdict.RetryAfter });
        }

        // 5
        exchange.Fault = faults.Early(exchange.Request, call.Channel, exchange.Entry.IdempotencyKey, out var problem);
        if (problem is not null)
        {
            return writer.WriteAsync(
                exchange, Answer.Of(ApiError.InvalidParameter, exchange.RequestId, FaultPicker.Header, problem));
        }

        exchange.Entry.Fault = exchange.Fault?.Name;

        // 6
        if (call.Kind == ApiCallKind.Send) { return sends.HandleAsync(exchange, call.Channel!, stop); }
        return exchange.Fault switch
        {
            { Action: FaultAction.Refuse } fault =>
                writer.WriteAsync(exchange, FaultAnswer.Of(fault, exchange.RequestId, exchange.Arrived)),
            { CutsConnection: true } => DropAsync(exchange),
            _ => writer.WriteAsync(exchange, call.Kind == ApiCallKind.Message
                ? lookups.Message(exchange, call.Id!)
                : lookups.Session(exchange, call.Id!)),
        };
    }

    private static Task DropAsync(Exchange exchange)
    {
        AnswerWriter.Drop(exchange);
        return Task.CompletedTask;
    }
}
