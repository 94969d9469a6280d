using SendProxy.Configuration;
using SendProxy.Outbox.Messages;
using SendProxy.Queueing;
using SendProxy.Sending;
using SendProxy.Upstreams;

namespace SendProxy.Outbox.Worker;

/// <summary>Moves leased messages on in the journal, and tells who waits for them. A store that fails now is asked until it has answered.</summary>
internal sealed class MessageMover(JournalHost journal, Live<OutboxRoutes> live, EndEvents events, MessageObservers observers, TimeProvider time, Func<double> draw)
{
    // Beyond it the expected wait is the longest one anyway, and 1.5^n stays a number.
    private const int MaxGrowth = 40;

    /// <summary>What follows a try.</summary>
    public async Task<(UpstreamHealth Health, TimeSpan? RetryAfter)> MoveAsync(
        ClaimedItem item, OutboxEnvelope envelope, SendOutcome outcome, SendDecision decision, CancellationToken stop)
    {
        var response = OutboxResponse.Of(outcome);
        switch (decision.Next)
        {
            case NextStep.Sent:
                await FinishAsync(item, envelope, Finish.Done(response) with { AttemptsMade = outcome.Attempts, Reason = decision.Reason }, stop, outcome.MessageId);
                break;
            case NextStep.Failed:
                await FinishAsync(item, envelope, Finish.Dead(decision.Reason!, response) with { AttemptsMade = outcome.Attempts }, stop, outcome.MessageId);
                break;
            case NextStep.Unknown:
                await FinishAsync(item, envelope, Finish.Unknown(decision.Reason!, response) with { AttemptsMade = outcome.Attempts }, stop, outcome.MessageId);
                break;
            default:
                var due = time.GetUtcNow() + Wait(item.Item.Attempts, outcome.RetryAfter);
                await RetryAsync(item, envelope, new Retry(due, decision.Reason!) { AttemptsMade = outcome.Attempts, KeepAttempting = decision.KeepAttempting, Response = response }, stop);
                break;
        }

        return (decision.Health, outcome.RetryAfter);
    }

    public async Task RetryAsync(ClaimedItem item, OutboxEnvelope? envelope, Retry retry, CancellationToken stop)
    {
        var moved = await QueueRetry.UntilAnsweredAsync(() => journal.Queue.RetryAsync(item.Lease, retry, CancellationToken.None), time, stop);
        observers.Moved(item.Item, envelope, OutboxState.Retrying, retry.Reason, retry.Response?.Status ?? 0, item.Item.Attempts + retry.AttemptsMade, null, moved, retry.Due);
    }

    public async Task GiveBackAsync(ClaimedItem item, CancellationToken stop) =>
        await QueueRetry.UntilAnsweredAsync(() => journal.Queue.GiveBackAsync(item.Lease, CancellationToken.None), time, stop);

    /// <summary>Ends it, together with the event that tells of its end.</summary>
    /// <param name="envelope">Null where it cannot be read: then there is no event.</param>
    public async Task FinishAsync(ClaimedItem item, OutboxEnvelope? envelope, Finish finish, CancellationToken stop, string? messageId = null)
    {
        var state = OutboxStates.Of(finish.State);
        var attempts = item.Item.Attempts + finish.AttemptsMade;
        var told = envelope is not null && events.Of(item.Item, envelope, new MessageEnd(state, finish.Reason, finish.Response?.Status ?? 0, attempts, messageId)) is { } tell
            ? finish with { Next = [tell] }
            : finish;
        var moved = await QueueRetry.UntilAnsweredAsync(() => journal.Queue.FinishAsync(item.Lease, told, CancellationToken.None), time, stop);
        if (moved.Verdict == QueueVerdict.Full)
        {
            // What ended must be kept as ended, or it would be sent again; its event has no room.
            events.Dropped();
            moved = await QueueRetry.UntilAnsweredAsync(() => journal.Queue.FinishAsync(item.Lease, finish, CancellationToken.None), time, stop);
        }

        observers.Moved(item.Item, envelope, state, finish.Reason, finish.Response?.Status ?? 0, attempts, messageId, moved, null);
    }

    /// <param name="attempts">Made so far.</param>
    /// <param name="asked">By the vendor or the limit; null: by nobody.</param>
    public TimeSpan Wait(int attempts, TimeSpan? asked)
    {
        var retry = live.Current.Options.Retry;
        var grown = retry.BaseDelay.TotalSeconds * Math.Pow(1.5, Math.Min(attempts, MaxGrowth));
        var last = attempts == 0 ? 0 : Math.Min(retry.MaxDelay.TotalSeconds, grown);
        // A Retry-After of a year is a mistake of the vendor's: it is asked again after the longest wait of the settings.
        var hint = asked > retry.MaxDelay ? retry.MaxDelay : asked;
        return Backoff.Next(TimeSpan.FromSeconds(last), retry.BaseDelay, retry.MaxDelay, hint, draw());
    }
}
