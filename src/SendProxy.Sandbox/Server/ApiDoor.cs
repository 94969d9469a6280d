using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Faults;
using SendProxy.Sandbox.Keys;
using SendProxy.Sandbox.Limits;
using SendProxy.Sandbox.Sending;

namespace SendProxy.Sandbox.Server;

/// <summary>
/// Lets requests to the API in: 1. an address, 2. the API key, 3. the limits, 4. the early fault, 5. the endpoint.
/// </summary>
internal sealed class ApiDoor(
    ApiKeys keys, LimitGate limits, FaultPicker faults, SendEndpoint sends, LookupEndpoint lookups, AnswerWriter writer)
{
    public async Task HandleAsync(Exchange exchange)
    {
        // 1
        var call = ApiCall.Of(exchange.Path);
        if (call.Kind == ApiCallKind.Unknown || call.Method != exchange.Entry.Method)
        {
            exchange.Verdict = limits.Look(exchange.Arrived);
            if (call.Method is { } allowed) { exchange.Context.Response.Headers.Allow = allowed; }
            var error = call.Kind == ApiCallKind.Unknown ? ApiError.NotFound : ApiError.MethodNotAllowed;
            await writer.WriteAsync(exchange, Answer.Of(error, exchange.RequestId));
            return;
        }

        // 2
        exchange.Key = keys.Find(exchange.Request.Headers.Authorization);
        if (exchange.Key is null)
        {
            exchange.Verdict = limits.Look(exchange.Arrived);
            await writer.WriteAsync(exchange, Answer.Of(ApiError.InvalidApiKey, exchange.RequestId));
            return;
        }

        exchange.Entry.KeyFingerprint = exchange.Key.Fingerprint;

        // 3
        exchange.Verdict = limits.Acquire(exchange.Arrived, out var lease);
        try
        {
            await AdmitAsync(exchange, call);
        }
        finally
        {
            lease.Release();
        }
    }

    private Task AdmitAsync(Exchange exchange, ApiCall call)
    {
        if (!exchange.Verdict.Passes)
        {
            var refusal = Answer.Of(ApiError.RateLimited, exchange.RequestId);
            return writer.WriteAsync(exchange, refusal with { RetryAfter = exchange.Verdict.RetryAfter });
        }

        // 4
        exchange.Fault = faults.Early(exchange.Request, call.Channel, exchange.Entry.IdempotencyKey, out var problem);
        if (problem is not null)
        {
            var refusal = Answer.Of(ApiError.InvalidParameter, exchange.RequestId, FaultPicker.Header, problem);
            return writer.WriteAsync(exchange, refusal);
        }

        exchange.Entry.Fault = exchange.Fault?.Name;

        // 5
        return call.Kind == ApiCallKind.Send
            ? sends.HandleAsync(exchange, call.Channel!)
            : LookUpAsync(exchange, call);
    }

    private async Task LookUpAsync(Exchange exchange, ApiCall call)
    {
        switch (exchange.Fault)
        {
            case { CutsConnection: true }:
                AnswerWriter.Drop(exchange);
                return;
            case { Action: FaultAction.Refuse } fault:
                await writer.WriteAsync(exchange, FaultAnswer.Of(fault, exchange.RequestId, exchange.Now));
                return;
            default:
                var answer = call.Kind == ApiCallKind.Message
                    ? lookups.Message(exchange, call.Id!)
                    : lookups.Session(exchange, call.Id!);
                await writer.WriteAsync(exchange, answer);
                return;
        }
    }
}
