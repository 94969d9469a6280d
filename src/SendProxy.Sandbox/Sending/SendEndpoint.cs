using System.Security.Cryptography;
using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Faults;
using SendProxy.Sandbox.Idempotency;
using SendProxy.Sandbox.Server;

namespace SendProxy.Sandbox.Sending;

/// <summary>
/// Takes a send:
/// 1. the body is read, 2. understood, 3. the recipient's fault found, 4. the idempotency key claimed,
/// 5. the message accepted or refused, 6. the claim completed, 7. the answer given or withheld.
/// </summary>
internal sealed class SendEndpoint(
    SandboxOptions options,
    IdempotencyStore idempotency,
    FaultPicker faults,
    Acceptance acceptance,
    AnswerWriter writer,
    TimeProvider time)
{
    private const int UsualDelayMs = 2000;
    private const int KeyLengthMax = 255;

    public async Task HandleAsync(Exchange exchange, string channel, CancellationToken stop)
    {
        // 1
        if (exchange.Fault?.Action == FaultAction.DropUnread)
        {
            AnswerWriter.Drop(exchange);
            return;
        }

        if (await BodyReader.ReadAsync(exchange.Request, options.MaxBodyBytes, stop) is not { } body)
        {
            exchange.Context.Response.Headers.Connection = "close";
            await writer.WriteAsync(exchange, Answer.Of(ApiError.TooLarge, exchange.RequestId));
            return;
        }

        // 2
        var reading = SendReading.Read(channel, body);
        var key = idempotency.Mode == IdempotencyMode.Ignored ? null : exchange.Entry.IdempotencyKey;
        if (key is { Length: 0 or > KeyLengthMax })
        {
            await writer.WriteAsync(
                exchange, Answer.Of(ApiError.InvalidParameter, exchange.RequestId, "Idempotency-Key"));
            return;
        }

        // 3
        if (reading.Request is { } request)
        {
            exchange.Fault ??= faults.OfRecipient(request.Recipient, exchange.Entry.IdempotencyKey);
        }

        exchange.Entry.Fault = exchange.Fault?.Name;
        if (exchange.Fault?.Action == FaultAction.DelayBefore)
        {
            await Task.Delay(exchange.Fault.Length(UsualDelayMs), time, stop);
        }

        // 4 to 6
        var hash = SHA256.HashData(body);
        var answer = key is null
            ? (await ActAsync(exchange, channel, reading, hash)).Answered
            : await ClaimedAsync(exchange, channel, reading, key, hash);

        // 7
        if (options.Latency > TimeSpan.Zero) { await Task.Delay(options.Latency, time, stop); }
        if (exchange.Fault?.Action == FaultAction.Delay)
        {
            await Task.Delay(exchange.Fault.Length(UsualDelayMs), time, stop);
        }

        if (exchange.Fault?.Action is FaultAction.AcceptDrop or FaultAction.DropBefore or FaultAction.DropUnread)
        {
            AnswerWriter.Drop(exchange);
            return;
        }

        await writer.WriteAsync(exchange, answer);
    }

    private async Task<Answer> ClaimedAsync(
        Exchange exchange, string channel, Reading reading, string key, byte[] hash)
    {
        var owner = idempotency.Scope == IdempotencyScope.Account
            ? exchange.Key!.Account
            : exchange.Key!.Fingerprint;
        var scope = new KeyScope(owner, exchange.Entry.Method, exchange.Path, key);
        switch (idempotency.Claim(scope, hash, out var replay))
        {
            case ClaimResult.New:
                var (done, answered) = await ActAsync(exchange, channel, reading, hash);
                idempotency.Complete(scope, done, answered);
                return answered;
            case var _ when exchange.Fault is { IsBefore: true } fault:
                // The front of the vendor fails before its store is asked.
                return FaultAnswer.Of(fault, exchange.RequestId, exchange.Arrived);
            case ClaimResult.Replay:
                return exchange.Fault?.Action == FaultAction.ErrorAfter
                    ? FaultAnswer.Of(exchange.Fault, exchange.RequestId, exchange.Arrived)
                    : replay!;
            case ClaimResult.InUse:
                return Answer.Of(ApiError.KeyInUse, exchange.RequestId) with { RetryAfter = TimeSpan.FromSeconds(1) };
            default:
                return Answer.Of(ApiError.KeyReused, exchange.RequestId, "Idempotency-Key");
        }
    }

    private async Task<Outcome> ActAsync(Exchange exchange, string channel, Reading reading, byte[] hash)
    {
        if (exchange.Fault is { IsBefore: true } fault)
        {
            return Outcome.Same(FaultAnswer.Of(fault, exchange.RequestId, exchange.Arrived));
        }

        return reading.Request is { } request
            ? await acceptance.AcceptAsync(exchange, channel, request, hash)
            : Outcome.Same(Answer.Of(reading.Error!, exchange.RequestId, reading.Param));
    }
}

/// <summary>What the vendor did and what the client is told. They differ only under a fault.</summary>
internal readonly record struct Outcome(Answer Done, Answer Answered)
{
    public static Outcome Same(Answer answer) => new(answer, answer);
}
