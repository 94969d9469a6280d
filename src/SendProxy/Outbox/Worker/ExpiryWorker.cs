using SendProxy.Configuration;
using SendProxy.Outbox.Messages;
using SendProxy.Queueing;
using SendProxy.Workers;

namespace SendProxy.Outbox.Worker;

/// <summary>Ends messages whose time is over, held ones too, and counts those that wait.</summary>
internal sealed class ExpiryWorker(JournalHost journal, Live<OutboxRoutes> live, MessageMover mover, OutboxDepth depth, OutboxMetrics metrics, WorkerContext context)
    : PeriodicWorker("outbox_expiry", context)
{
    private const int MaxAtOnce = 100;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly HashSet<(string Route, OutboxState State)> _shown = [];
    private OutboxRoutes? _created;

    protected override async Task<TimeSpan?> RunRoundAsync(CancellationToken stop)
    {
        if (!journal.IsOpen)
        {
            return null;
        }

        await CountAsync(stop);
        var claimed = await journal.Queue.ClaimAsync(new ClaimRequest(OutboxEnvelope.Queue, MaxAtOnce) { Expired = true }, stop);

        // All at once, so that they share a commit.
        await Task.WhenAll(claimed.Items.Select(item => ExpireAsync(item, stop)));
        return claimed.Items.Count == MaxAtOnce ? TimeSpan.Zero : Interval;
    }

    private Task ExpireAsync(ClaimedItem item, CancellationToken stop) => mover.FinishAsync(
        item, OutboxEnvelope.Read(item.Metadata),
        item.Item.Attempting ? Finish.Unknown("expired_after_attempt") with { AttemptsMade = 0 } : Finish.Expired(item.Item.Reason ?? "expired"), stop);

    // Series are there before anything happens.
    private void Create(OutboxRoutes routes)
    {
        if (ReferenceEquals(routes, _created))
        {
            return;
        }

        _created = routes;
        foreach (var route in routes.ByName.Keys)
        {
            metrics.Created(route);
        }

        foreach (var upstream in routes.Upstreams)
        {
            metrics.CreatedUpstream(upstream);
        }

        _shown.UnionWith(from route in routes.ByName.Keys from state in Enum.GetValues<OutboxState>() select (route, state));
    }

    private async Task CountAsync(CancellationToken stop)
    {
        var counts = await journal.Queue.CountsAsync(OutboxEnvelope.Queue, stop);
        var oldest = await journal.Queue.OldestAgeAsync(OutboxEnvelope.Queue, stop);
        if (counts.Value is not { } read || oldest.Error is not null)
        {
            Worker.Failed("outbox_expiry");
            return;
        }

        metrics.OldestIs(oldest.Value);
        Create(live.Current);
        var now = read.GroupBy(c => (c.Route, OutboxStates.Of(c.State))).ToDictionary(g => g.Key, g => g.Sum(c => c.Items));
        _shown.UnionWith(now.Keys);
        foreach (var (route, state) in _shown)
        {
            metrics.Items(route, state, now.GetValueOrDefault((route, state)));
        }

        depth.Counted(now.Where(c => !c.Key.Item2.IsFinished()).GroupBy(c => c.Key.Route).ToDictionary(g => g.Key, g => g.Sum(c => c.Value), StringComparer.Ordinal));
    }
}
