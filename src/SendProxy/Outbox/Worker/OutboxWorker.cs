using SendProxy.Configuration;
using SendProxy.Hosting;
using SendProxy.Outbox.Messages;
using SendProxy.Queueing;
using SendProxy.Workers;

namespace SendProxy.Outbox.Worker;

/// <summary>
/// Keeps one loop for each upstream. At the end: no more claims at once; what is in flight has the drain time; then it is cut off and
/// goes back to the queue.
/// </summary>
/// <param name="loops">Makes the loop of the upstream of this name.</param>
internal sealed class OutboxWorker(
    JournalHost journal, Live<OutboxRoutes> live, Func<string, UpstreamLoop> loops, IDraining draining, ShutdownOptions shutdown, WorkerContext context)
    : PeriodicWorker("outbox_loops", context)
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, (UpstreamLoop Loop, Task Running)> _loops = new(StringComparer.Ordinal);
    private CancellationToken _ended;
    private CancellationToken _cut;

    protected override CancellationToken EndsEarly => draining.Started;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, draining.Started);
        using var cut = new CancellationTokenSource();
        (_ended, _cut) = (ended.Token, cut.Token);
        await base.ExecuteAsync(stoppingToken);
        await EndAsync(cut);
    }

    protected override Task<TimeSpan?> RunRoundAsync(CancellationToken stop)
    {
        if (!journal.IsOpen)
        {
            return Task.FromResult<TimeSpan?>(null);
        }

        foreach (var upstream in live.Current.Upstreams)
        {
            if (!_loops.TryGetValue(upstream, out var known) || known.Running.IsCompleted)
            {
                // An upstream that left the configuration and came back goes on in the same loop: it knows what is in flight.
                var loop = known.Loop ?? loops(upstream);
                _loops[upstream] = (loop, loop.RunAsync(_ended, _cut));
            }
        }

        return Task.FromResult<TimeSpan?>(Look);
    }

    private async Task EndAsync(CancellationTokenSource cut)
    {
        await Task.WhenAll(_loops.Values.Select(l => l.Running));
        var drained = Task.WhenAll(_loops.Values.Select(l => l.Loop.DrainAsync()));
        using var late = CancellationTokenSource.CreateLinkedTokenSource(draining.Forced);
        await Task.WhenAny(drained, Task.Delay(shutdown.Drain, Time, late.Token));
        await late.CancelAsync();
        await cut.CancelAsync();
        await drained;
    }
}
