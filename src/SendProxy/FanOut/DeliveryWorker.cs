using SendProxy.Configuration;
using SendProxy.Hosting;
using SendProxy.Queueing;

namespace SendProxy.FanOut;

/// <summary>
/// Keeps one loop for each configured subscriber. At the end: no more claims at once; what is in flight has the drain time;
/// then it is cut off and goes back to the queue.
/// </summary>
internal sealed class DeliveryWorker(
    JournalHost journal, Live<FanOutState> live, Deliverer deliverer, FanOutMetrics metrics, WorkerMetrics worker, IDraining draining,
    ShutdownOptions shutdown, TimeProvider time, ILogger<SubscriberLoop> logger) : BackgroundService
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, (SubscriberLoop Loop, Task Running)> _loops = new(StringComparer.Ordinal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!journal.IsOpen)
        {
            return;
        }

        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, draining.Started);
        using var cut = new CancellationTokenSource();
        while (!ended.IsCancellationRequested)
        {
            Start(ended.Token, cut.Token);
            try
            {
                await Task.Delay(Look, time, ended.Token);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        await EndAsync(cut);
    }

    private void Start(CancellationToken stop, CancellationToken cut)
    {
        foreach (var name in live.Current.Subscribers.Keys)
        {
            if (!_loops.TryGetValue(name, out var known) || known.Running.IsCompleted)
            {
                // A subscriber that left the configuration and came back goes on in the same loop: it knows what is in flight.
                var loop = known.Loop ?? new SubscriberLoop(name, journal, live, deliverer, metrics, worker, time, logger);
                _loops[name] = (loop, loop.RunAsync(stop, cut));
            }
        }
    }

    private async Task EndAsync(CancellationTokenSource cut)
    {
        await Task.WhenAll(_loops.Values.Select(l => l.Running));
        var drained = Task.WhenAll(_loops.Values.Select(l => l.Loop.DrainAsync()));
        using var late = CancellationTokenSource.CreateLinkedTokenSource(draining.Forced);
        await Task.WhenAny(drained, Task.Delay(shutdown.Drain, time, late.Token));
        await late.CancelAsync();
        await cut.CancelAsync();
        await drained;
    }
}
