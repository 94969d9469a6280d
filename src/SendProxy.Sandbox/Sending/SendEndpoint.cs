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
    Clock clock)
{
    private const int UsualDelayMs = 2000;
    private const int KeyLengthMax = 255;

    public async Task HandleAsync(Exchange exchange, string channel)
    {
        // 1
        if (exchange.Fault?.Action == FaultAction.DropUnread)
        {
            AnswerWriter.Drop(exchange);
            return;
        }

        if (await BodyReader.ReadAsync(exchange.Request, options.MaxBodyBytes, clock.Stopping) is not { } body)
        {
            exchange.Context.Response.Headers.Connection = "close";
            await writer.WriteAsync(exchange, Answer.Of(ApiError.TooLarge, exchange.RequestId));
            return;
        }

        // 2
        var key = idempotency.Mode == IdempotencyMode.Ignored ? null : exchange.Entry.IdempotencyKey;
        if (key is { Length: 0 or > KeyLengthMax })
        {
            await writer.WriteAsync(
                exchange, Answer.Of(ApiError.InvalidParameter, exchange.RequestId, "Idempotency-Key"));
            return;
        }

        var send = new Send(channel, SendReading.Read(channel, body), SHA256.HashData(body));

        // 3
        if (exchange.Fault is null && send.Reading.Request is { } request)
        {
            exchange.Fault = faults.OfRecipient(request.Recipient, exchange.Entry.IdempotencyKey);
            exchange.Entry.Fault = exchange.Fault?.Name;
        }

        if (exchange.Fault?.Action is FaultAction.DropBefore or FaultAction.DropUnread)
        {
            AnswerWriter.Drop(exchange);
            return;
        }

        // 4 to 6
        var answer = key is null
            ? (await ActAsync(exchange, send)).Answered
            : await ClaimAsync(exchange, send, key);

        // 7
        if (exchange.Fault is { CutsConnection: true }) { AnswerWriter.Drop(exchange); }
        else { await writer.WriteAsync(exchange, answer); }
    }

    private async Task<Answer> ClaimAsync(Exchange exchange, Send send, string key)
    {
        var owner = idempotency.Scope == IdempotencyScope.Account
            ? exchange.Key!.Account
            : exchange.Key!.Fingerprint;
        var scope = new IdempotencyKeyScope(owner, exchange.Entry.Method, exchange.Path, key);
        var result = idempotency.Claim(scope, send.BodyHash, out var replay);
        if (result == ClaimResult.New) { return await RunAsync(exchange, send, scope); }
        if (exchange.Fault is { Action: FaultAction.Refuse or FaultAction.ErrorAfter } fault)
        {
            // The front of the vendor fails, whatever its store says.
            return FaultAnswer.Of(fault, exchange.RequestId, exchange.Now);
        }

        return result switch
        {
            ClaimResult.Replay => replay!,
            ClaimResult.InUse =>
                Answer.Of(ApiError.KeyInUse, exchange.RequestId) with { RetryAfter = TimeSpan.FromSeconds(1) },
            _ => Answer.Of(ApiError.KeyReused, exchange.RequestId, "Idempotency-Key"),
        };
    }

    private async Task<Answer> RunAsync(Exchange exchange, Send send, IdempotencyKeyScope scope)
    {
        Outcome? outcome = null;
        try
        {
            outcome = await ActAsync(exchange, send);
            return outcome.Value.Answered;
        }
        finally
        {
            if (outcome is { } ended) { idempotency.Complete(scope, ended.Done, ended.Answered); }
            else { idempotency.Release(scope); }
        }
    }

    // All waiting is in here, so that a key stays claimed while its request runs.
    private async Task<Outcome> ActAsync(Exchange exchange, Send send)
    {
        var fault = exchange.Fault;
        if (fault?.Action == FaultAction.Refuse)
        {
            return Outcome.Same(FaultAnswer.Of(fault, exchange.RequestId, exchange.Now));
        }

        if (fault?.Action == FaultAction.DelayBefore) { await clock.DelayAsync(fault.Length(UsualDelayMs)); }
        var outcome = send.Reading.Request is { } request
            ? await acceptance.AcceptAsync(exchange, send, request)
            : Outcome.Same(Answer.Of(send.Reading.Error!, exchange.RequestId, send.Reading.Param));
        if (fault?.Action == FaultAction.Delay) { await clock.DelayAsync(fault.Length(UsualDelayMs)); }
        if (options.Latency > TimeSpan.Zero) { await clock.DelayAsync(options.Latency); }
        return outcome;
    }
}

/// <summary>A send as it arrived.</summary>
/// <param name="Channel">sms, whatsapp or email.</param>
/// <param name="Reading">What its body says, or what is wrong with it.</param>
/// <param name="BodyHash">SHA-256 of the body.</param>
internal sealed record Send(string Channel, Reading Reading, byte[] BodyHash);

/// <summary>What the vendor did and what the client is told. They differ only under a fault.</summary>
internal readonly record struct Outcome(Answer Done, Answer Answered)
{
    public static Outcome Same(Answer answer) => new(answer, answer);
}
