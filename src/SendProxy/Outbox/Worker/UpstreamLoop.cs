using SendProxy.Configuration;
using SendProxy.Outbox.Messages;
using SendProxy.Queueing;
using SendProxy.Workers;

namespace SendProxy.Outbox.Worker;

/// <summary>
/// Sends stored messages to one upstream. Each round: 1 a place is free, and the vendor may be asked; 2 claim; 3 send, side by side; 4 wait
/// for work. No upstream waits for another.
/// </summary>
internal sealed partial class UpstreamLoop(
    UpstreamRamp ramp, JournalHost journal, Live<OutboxRoutes> live, MessageSender sender, OutboxMetrics metrics, WorkerContext context)
{
    private const string Worker = "outbox";

    // Large messages hold no more than this, and the one that goes beyond it.
    private const long MaxBytesInFlight = 8 << 20;

    // How soon a reload, or a store that healed, is seen.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    // For what comes between the end of an attempt and its record.
    private static readonly TimeSpan LeaseSlack = TimeSpan.FromSeconds(10);

    private readonly ILogger _logger = context.Loggers.CreateLogger<UpstreamLoop>();
    private readonly InFlight _inFlight = new();

    /// <param name="stop">Ends claiming.</param>
    /// <param name="cut">Ends waiting and further attempts.</param>
    public Task RunAsync(CancellationToken stop, CancellationToken cut) => new WorkerLoop(Worker, context).RunAsync(
        async ended => live.Current.Has(ramp.Upstream) ? await RoundAsync(ended, cut) : null, stop);

    /// <summary>Completes when nothing is in flight.</summary>
    public Task DrainAsync() => _inFlight.DownToAsync(0);

    private async Task<TimeSpan?> RoundAsync(CancellationToken stop, CancellationToken cut)
    {
        var routes = live.Current;
        if (!routes.Has(ramp.Upstream))
        {
            return null;
        }

        // 1 a place, and the vendor
        await _inFlight.DownToAsync(routes.Options.Concurrency - 1, MaxBytesInFlight).WaitAsync(stop);
        var (count, wait) = ramp.MayBegin(routes.Options.Concurrency - _inFlight.Count);
        if (count == 0)
        {
            return wait < Look ? wait : Look;
        }

        // 2 claim
        var request = new ClaimRequest(OutboxEnvelope.Queue, count)
        {
            ExcludedRoutes = routes.Others(ramp.Upstream),
            LeaseFor = routes.ByName.Values.Where(r => r.Upstream == ramp.Upstream).Max(r => r.Plan.Pipeline.Upstream.Options.Timeouts.Total) + LeaseSlack,
        };
        var claimed = await journal.Queue.ClaimAsync(request, stop);
        ramp.Began(claimed.Items.Count);

        // 3 send
        foreach (var item in claimed.Items)
        {
            metrics.InFlight(ramp.Upstream, _inFlight.Began(item.Body.Length));
            _ = SendAsync(item, cut); // Counted, and waited for by DrainAsync.
        }

        // 4 wait
        if (claimed.Items.Count < count)
        {
            await QueueWait.ForWorkAsync(journal.Queue, OutboxEnvelope.Queue, claimed, context.Time, stop);
        }

        return TimeSpan.Zero;
    }

    private async Task SendAsync(ClaimedItem item, CancellationToken cut)
    {
        try
        {
            // Not on the claimer's thread: it goes on claiming.
            await Task.Yield();
            var (health, retryAfter) = await sender.SendAsync(item, cut);
            var rested = ramp.Rests;
            ramp.Ended(health, retryAfter);
            Tell(rested, ramp.Rests);
        }
#pragma warning disable CA1031 // The end of a task that nobody awaits for its result: a defect is told, the lease is recovered at the next start.
        catch (Exception e)
#pragma warning restore CA1031
        {
            context.Metrics.Failed(Worker);
            Log.Defect(_logger, ramp.Upstream, item.Item.Id, e);
            ramp.Ended(UpstreamHealth.Untried, null);
        }
        finally
        {
            metrics.InFlight(ramp.Upstream, _inFlight.Ended(item.Body.Length));
        }
    }

    private void Tell(bool rested, bool rests)
    {
        metrics.Resting(ramp.Upstream, rests);
        if (rests && !rested)
        {
            Log.Rests(_logger, ramp.Upstream);
        }
        else if (rested && !rests)
        {
            Log.GoesOn(_logger, ramp.Upstream);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(450, LogLevel.Error, "Sending message {Id} of the outbox to {Upstream} failed because of a defect; it goes on at the next start")]
        public static partial void Defect(ILogger logger, string upstream, Guid id, Exception exception);

        [LoggerMessage(451, LogLevel.Warning, "The outbox waits: {Upstream} fails. One message at a time tries whether it is back")]
        public static partial void Rests(ILogger logger, string upstream);

        [LoggerMessage(452, LogLevel.Information, "The outbox goes on: {Upstream} takes messages again")]
        public static partial void GoesOn(ILogger logger, string upstream);
    }
}
