using SendProxy.Outbox.Messages;
using SendProxy.Queueing;

namespace SendProxy.Outbox.Worker;

/// <summary>Who is told of a message's move: callers that wait for it, the counts, and the log.</summary>
internal sealed class MessageObservers(OutboxSignals signals, OutboxDepth depth, OutboxTelemetry telemetry)
{
    /// <param name="moved">How the journal took it: where it did not, another holds the message, and nothing is told.</param>
    public void Moved(
        StoredItem item, OutboxEnvelope? envelope, OutboxState state, string? reason, int status, int attempts, string? messageId, QueueResult moved, DateTimeOffset? next)
    {
        if (!moved.IsDone)
        {
            return;
        }

        if (state.IsFinished())
        {
            depth.Ended(item.Route);
        }

        signals.Moved(item.Id);
        telemetry.Ended(new OutboxTry(item.Id, item.Route, envelope?.Upstream ?? "", state, reason, status, attempts, messageId, item.Created, next));
    }
}
