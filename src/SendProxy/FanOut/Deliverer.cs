using SendProxy.Queueing;
using SendProxy.Upstreams;

namespace SendProxy.FanOut;

/// <summary>
/// Makes one attempt of a leased delivery and moves it on: done; back, to be tried again; or dead, once it has failed for
/// <c>retry.for</c>. That time counts from the first failure, so that an outage of the proxy takes nothing of it. Only a failed
/// attempt at its end makes a delivery dead, never what a subscriber asks for.
/// </summary>
internal sealed class Deliverer(
    JournalHost journal, DeliveryAttempt attempts, DeliveryTelemetry telemetry, Func<double> draw, TimeProvider time)
{
    private static readonly TimeSpan GoneWait = TimeSpan.FromHours(1);

    // After so many failures the expected wait is the longest one anyway; the bound keeps 1.5^n finite.
    private const int MaxGrowth = 40;

    /// <param name="cut">Ends a running attempt; its delivery goes back.</param>
    public async Task<DeliveryOutcome?> DeliverAsync(Subscriber subscriber, ClaimedItem item, CancellationToken cut)
    {
        var start = time.GetTimestamp();
        if (item.Item.SchemaVersion != EventEnvelope.Version || EventEnvelope.Read(item.Metadata) is not { } envelope)
        {
            await journal.Queue.FinishAsync(item.Lease, Finish.Dead("envelope_unreadable"), CancellationToken.None);
            return null;
        }

        var number = item.Item.Attempts + 1;
        DeliveryResult result;
        try
        {
            result = await attempts.RunAsync(subscriber, envelope, item.Body, number, cut);
        }
        catch (OperationCanceledException) when (cut.IsCancellationRequested)
        {
            // The delivery may have arrived. The next process sends it again under the same webhook-id.
            await journal.Queue.RetryAsync(item.Lease, new Retry(time.GetUtcNow(), "stopped"), CancellationToken.None);
            return null;
        }

        var (next, dead) = await MoveAsync(subscriber.Options, item, number, result, cut);
        telemetry.Ended(new DeliveryEnd(
            subscriber.Name, envelope, number, result, next, dead, item.Body.Length, time.GetElapsedTime(start)));
        return result.Outcome;
    }

    private async Task<(DateTimeOffset? Next, bool Dead)> MoveAsync(
        SubscriberOptions options, ClaimedItem item, int number, DeliveryResult result, CancellationToken cut)
    {
        var queue = journal.Queue;
        if (result.Outcome == DeliveryOutcome.Delivered)
        {
            await QueueRetry.UntilAnsweredAsync(() => queue.FinishAsync(item.Lease, Finish.Done(), CancellationToken.None), time, cut);
            return (null, false);
        }

        if (result.Outcome == DeliveryOutcome.Unsigned || (options.IsLocal && result.Outcome == DeliveryOutcome.Unreachable))
        {
            await QueueRetry.UntilAnsweredAsync(() => queue.GiveBackAsync(item.Lease, CancellationToken.None), time, cut);
            return (null, false);
        }

        var now = time.GetUtcNow();
        var word = DeliveryAttempt.Word(result.Outcome);
        if (item.Item.Deadline is not { } deadline)
        {
            deadline = now + options.RetryFor;
            var mark = new AttemptMark(Deadline: deadline);
            await QueueRetry.UntilAnsweredAsync(() => queue.MarkAttemptingAsync(item.Lease, mark, CancellationToken.None), time, cut);
        }

        var response = result.Status > 0 ? new ItemResponse(result.Status, default) : null;
        var isGone = result.Outcome == DeliveryOutcome.Gone;
        if (now >= deadline && !isGone)
        {
            await QueueRetry.UntilAnsweredAsync(() => queue.FinishAsync(item.Lease, Finish.Dead(word, response), CancellationToken.None), time, cut);
            return (null, true);
        }

        // The last attempt is made when retry.for ends, however long the wait would be.
        var due = now + Wait(options, number, result);
        due = due > deadline && !isGone ? deadline : due;
        await QueueRetry.UntilAnsweredAsync(
            () => queue.RetryAsync(item.Lease, new Retry(due, word) { Response = response }, CancellationToken.None), time, cut);
        return (due, false);
    }

    private TimeSpan Wait(SubscriberOptions options, int number, DeliveryResult result)
    {
        if (result.Outcome == DeliveryOutcome.Gone)
        {
            return GoneWait;
        }

        // The wait before this attempt is not stored; its expected value is used instead.
        var grown = options.BaseDelay.TotalSeconds * Math.Pow(1.5, Math.Min(number, MaxGrowth) - 1);
        var last = number == 1 ? 0 : Math.Min(options.MaxDelay.TotalSeconds, grown);
        // A Retry-After of a year is a mistake of the subscriber's: it is tried again after the longest wait of the settings.
        var asked = result.RetryAfter is { } wait && wait > options.MaxDelay ? options.MaxDelay : result.RetryAfter;
        return Backoff.Next(TimeSpan.FromSeconds(last), options.BaseDelay, options.MaxDelay, asked, draw());
    }
}
