using SendProxy.Configuration;
using SendProxy.Queueing;
using SendProxy.Workers;

namespace SendProxy.FanOut;

/// <summary>
/// Step 2 of the way out, for one subscriber. Each round: 1 is it still configured and not gone; 2 can it be signed for, and
/// does it listen, where it is local; 3 claim as many as it may have in flight; 4 deliver them side by side; 5 wait. No subscriber waits for another.
/// </summary>
internal sealed partial class SubscriberLoop(
    string name, JournalHost journal, Live<FanOutState> live, Deliverer deliverer, FanOutMetrics metrics, WorkerContext context)
{
    public const string GoneReason = "subscriber_gone";
    private const string Worker = "delivery";
    private static readonly TimeSpan ProbeEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan GoneFor = TimeSpan.FromHours(1);
    // How soon an operator's release is seen.
    private static readonly TimeSpan GoneLook = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);

    // A subscriber that is slow with large events holds no more than this, and the one event that goes beyond it.
    private const long MaxBytesInFlight = 8 << 20;

    private readonly ILogger _logger = context.Loggers.CreateLogger<SubscriberLoop>();
    private readonly InFlight _inFlight = new();
    private volatile bool _up;
    private volatile bool _wentGone;
    private bool _probing;

    /// <param name="stop">Ends claiming.</param>
    /// <param name="cut">Ends running attempts.</param>
    public Task RunAsync(CancellationToken stop, CancellationToken cut)
    {
        _wentGone = true; // Whether it was gone before the last stop is in the store.
        return new WorkerLoop(Worker, context).RunAsync(
            async ended =>
            {
                if (live.Current.Subscribers.GetValueOrDefault(name) is not { } subscriber)
                {
                    return null;
                }

                await RoundAsync(subscriber, ended, cut);
                return TimeSpan.Zero;
            },
            stop);
    }

    /// <summary>Completes when nothing is in flight.</summary>
    public Task DrainAsync() => _inFlight.DownToAsync(0);

    private async Task RoundAsync(Subscriber subscriber, CancellationToken stop, CancellationToken cut)
    {
        // 1 gone
        var most = subscriber.Options.Concurrency;
        if (_wentGone)
        {
            if (await GoneSinceAsync(stop) is { } since)
            {
                if (since + GoneFor - context.Time.GetUtcNow() is var wait && wait > TimeSpan.Zero)
                {
                    metrics.Gone(name, true);
                    await DelayAsync(wait < GoneLook ? wait : GoneLook, stop);
                    return;
                }

                // One delivery asks whether it is still gone.
                most = 1;
                await journal.Queue.ReleaseAsync(EventEnvelope.Deliveries, HoldScope.Group, name, stop);
            }

            _wentGone = false;
            metrics.Gone(name, false);
        }

        // 2 ready
        if (subscriber.MustSign && subscriber.Keys.Keys.Count == 0)
        {
            await DelayAsync(AfterFailure, stop);
            return;
        }

        if (subscriber.Options.IsLocal && !_up && !await ProbeAsync(subscriber, stop))
        {
            return;
        }

        // 3 claim
        await _inFlight.DownToAsync(most - 1, MaxBytesInFlight).WaitAsync(stop);
        var free = most - _inFlight.Count;
        var claimed = await journal.Queue.ClaimAsync(
            new ClaimRequest(EventEnvelope.Deliveries, free) { OnlyGroups = new HashSet<string>([name], StringComparer.Ordinal) }, stop);

        // 4 deliver
        foreach (var item in claimed.Items)
        {
            metrics.InFlight(name, _inFlight.Began(item.Body.Length));
            _ = DeliverAsync(subscriber, item, cut); // Counted, and waited for by DrainAsync.
        }

        // 5 wait
        if (most == 1 && subscriber.Options.Concurrency > 1)
        {
            await DrainAsync();
        }
        else if (claimed.Items.Count < free)
        {
            await QueueWait.ForWorkAsync(journal.Queue, EventEnvelope.Deliveries, claimed, context.Time, stop);
        }
    }

    private async Task DeliverAsync(Subscriber subscriber, ClaimedItem item, CancellationToken cut)
    {
        try
        {
            var outcome = await deliverer.DeliverAsync(subscriber, item, cut);
            if (outcome == DeliveryOutcome.Unreachable)
            {
                _up = false;
            }
            else if (outcome == DeliveryOutcome.Gone)
            {
                await journal.Queue.HoldAsync(
                    new Hold(EventEnvelope.Deliveries, HoldScope.Group, name, GoneReason), CancellationToken.None);
                _wentGone = true;
                metrics.Gone(name, true);
                Log.Gone(_logger, name);
            }
        }
#pragma warning disable CA1031 // The end of a task that nobody awaits for its result: a defect is told, the lease is recovered at the next start.
        catch (Exception e)
#pragma warning restore CA1031
        {
            context.Metrics.Failed(Worker);
            Log.Defect(_logger, name, e);
        }
        finally
        {
            metrics.InFlight(name, _inFlight.Ended(item.Body.Length));
        }
    }

    private async Task<bool> ProbeAsync(Subscriber subscriber, CancellationToken stop)
    {
        _up = await SubscriberClient.ProbeAsync(subscriber.Options, context.Time, stop);
        metrics.Up(name, _up);
        if (_up)
        {
            if (_probing)
            {
                Log.Listens(_logger, name);
            }

            _probing = false;
            return true;
        }

        if (!_probing)
        {
            _probing = true;
            Log.DoesNotListen(_logger, name);
        }

        await DelayAsync(ProbeEvery, stop);
        return false;
    }

    private async Task<DateTimeOffset?> GoneSinceAsync(CancellationToken stop)
    {
        var holds = await journal.Queue.HoldsAsync(EventEnvelope.Deliveries, stop);
        if (holds.Error is not null)
        {
            return context.Time.GetUtcNow(); // Not known: looked at again soon.
        }

        var hold = (holds.Value ?? []).FirstOrDefault(h => h.Scope == HoldScope.Group && h.Name == name && h.Reason == GoneReason);
        return hold?.Since;
    }

    private async Task DelayAsync(TimeSpan wait, CancellationToken stop)
    {
        try
        {
            await Task.Delay(wait, context.Time, stop);
        }
        catch (OperationCanceledException)
        {
            // The loop looks at it.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(410, LogLevel.Error, "A round of deliveries to {Subscriber} failed")]
        public static partial void Defect(ILogger logger, string subscriber, Exception exception);

        [LoggerMessage(411, LogLevel.Error, "Subscriber {Subscriber} answered 410 and is paused; it is asked again in an hour")]
        public static partial void Gone(ILogger logger, string subscriber);

        [LoggerMessage(412, LogLevel.Warning, "Subscriber {Subscriber} does not listen; its events wait")]
        public static partial void DoesNotListen(ILogger logger, string subscriber);

        [LoggerMessage(413, LogLevel.Information, "Subscriber {Subscriber} listens again")]
        public static partial void Listens(ILogger logger, string subscriber);
    }
}
