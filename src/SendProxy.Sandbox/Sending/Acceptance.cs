using SendProxy.Sandbox.Answers;
using SendProxy.Sandbox.Faults;
using SendProxy.Sandbox.Limits;
using SendProxy.Sandbox.Recording;
using SendProxy.Sandbox.Server;
using SendProxy.Sandbox.Sessions;
using SendProxy.Sandbox.Webhooks;

namespace SendProxy.Sandbox.Sending;

/// <summary>Sends a message: the ledger notes it, its life begins, and the answer is made.</summary>
internal sealed class Acceptance(
    MessageLedger ledger,
    MessageStore messages,
    SessionStore sessions,
    MessageLife life,
    LimitGate limits,
    IdSource ids)
{
    private const int UsualResetMs = 1000;
    private const int UsualFlapMs = 2000;

    public async ValueTask<Outcome> AcceptAsync(Exchange exchange, Send send, SendRequest request)
    {
        var session = request.SessionId is { } id ? sessions.Find(id) : null;
        if (request.SessionId is not null && session is null)
        {
            return Outcome.Same(Answer.Of(ApiError.SessionNotFound, exchange.RequestId, "session_id"));
        }

        if (session is { Status: not SessionStatus.Connected })
        {
            return Outcome.Same(Answer.Of(ApiError.SessionDisconnected, exchange.RequestId, "session_id"));
        }

        var fault = exchange.Fault;
        var isLie = fault?.Action == FaultAction.SessionLies || session is { Lies: true };
        var twist = isLie ? LifeTwist.QueuedOnly : fault?.Kind.Twist ?? LifeTwist.None;
        var message = new Message(
            ids.Next("msg_"), send.Channel, request.ToJson, request.SessionId, exchange.Now, request.MetadataJson,
            twist);
        messages.Add(message);
        if (!isLie) { Note(exchange, message, request.Intent, send.BodyHash); }
        await life.BeginAsync(message);
        var accepted = new Answer(StatusCodes.Status202Accepted, MessageJson.Accepted(message));
        return fault is null ? Outcome.Same(accepted) : Twist(exchange, fault, request, accepted);
    }

    private void Note(Exchange exchange, Message message, string? intent, byte[] hash)
    {
        var key = exchange.Key!;
        var entry = new LedgerEntry(
            message.Id, message.Channel, exchange.Path, key.Fingerprint, exchange.Entry.IdempotencyKey, hash,
            message.CreatedAt, intent, exchange.Fault?.Name);
        ledger.Add(entry, key.Account);
    }

    private Outcome Twist(Exchange exchange, Fault fault, SendRequest request, Answer accepted)
    {
        switch (fault.Action)
        {
            case FaultAction.ErrorAfter:
                return new Outcome(accepted, FaultAnswer.Of(fault, exchange.RequestId, exchange.Arrived));
            case FaultAction.RemainingZero:
                var reset = fault.Length(UsualResetMs);
                limits.Close(exchange.Arrived + reset);
                exchange.Verdict = exchange.Verdict with { Remaining = 0, Reset = reset };
                return Outcome.Same(accepted);
            case FaultAction.SessionDrop:
                DropSession(exchange, fault, request);
                // It was sent, so a store must keep this answer: else a retry would send again.
                return Outcome.Same(
                    Answer.Of(ApiError.SessionDisconnected, exchange.RequestId, "session_id") with { IsFinal = true });
            case FaultAction.FalseDisconnect when request.SessionId is { } session:
                life.Session(session, "disconnected", "connection_lost", TimeSpan.Zero, exchange.Arrived);
                life.Session(session, "connected", null, fault.Length(UsualFlapMs), exchange.Arrived);
                return Outcome.Same(accepted);
            default:
                return Outcome.Same(accepted);
        }
    }

    private void DropSession(Exchange exchange, Fault fault, SendRequest request)
    {
        if (request.SessionId is not { } id) { return; }
        sessions.Set(id, SessionStatus.Disconnected);
        life.Session(id, "disconnected", "connection_lost", TimeSpan.Zero, exchange.Arrived);
        if (fault.Milliseconds is { } ms)
        {
            var back = TimeSpan.FromMilliseconds(ms);
            sessions.ConnectAt(id, exchange.Arrived + back);
            life.Session(id, "connected", null, back, exchange.Arrived);
        }
    }
}
