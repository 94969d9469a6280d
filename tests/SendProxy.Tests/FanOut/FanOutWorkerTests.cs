using System.Collections.Frozen;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using SendProxy.Configuration;
using SendProxy.FanOut;
using SendProxy.Hosting;
using SendProxy.Queueing;
using SendProxy.Secrets;
using SendProxy.Tests.Queueing;
using SendProxy.Workers;

namespace SendProxy.Tests.FanOut;

/// <summary>Step 1: an event becomes one delivery for each subscriber that wants it.</summary>
public sealed class FanOutWorkerTests : IAsyncLifetime
{
    private readonly Live<FanOutState> _live = new(State("a: message.*", "b: *", "c: other.*"));
    private SqliteQueueUnderTest _store = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _store = await SqliteQueueUnderTest.OpenAsync(SqliteQueueUnderTest.NewOptions());

    public async ValueTask DisposeAsync() => await _store.DisposeAsync();

    [Fact]
    public async Task Round_Event_IsDeliveredToThoseThatWantIt()
    {
        await StoreAsync("message.sent");

        await (await WorkerAsync()).RoundAsync(Cancel);

        var deliveries = await ClaimAsync(EventEnvelope.Deliveries);
        Assert.Equal(["a", "b"], deliveries.Select(d => d.Item.Route).Order());
        Assert.All(deliveries, d => Assert.Equal("body", Encoding.UTF8.GetString(d.Body.Span)));
        Assert.All(deliveries, d => Assert.Equal("evt_1", EventEnvelope.Read(d.Metadata)!.Id));
        Assert.Empty(await ClaimAsync(EventEnvelope.Events));
    }

    [Fact]
    public async Task Round_AfterACrashBetweenClaimAndCommit_FansOutOnce()
    {
        await StoreAsync("message.sent");
        Assert.Single(await ClaimAsync(EventEnvelope.Events));
        await _store.RestartAsync();

        await (await WorkerAsync()).RoundAsync(Cancel);
        await (await WorkerAsync()).RoundAsync(Cancel);

        Assert.Equal(2, (await ClaimAsync(EventEnvelope.Deliveries)).Count);
    }

    [Fact]
    public async Task Round_NobodyWantsIt_EndsIt()
    {
        _live.Swap(State("c: other.*"));
        await StoreAsync("message.sent");

        await (await WorkerAsync()).RoundAsync(Cancel);

        Assert.Empty(await ClaimAsync(EventEnvelope.Deliveries));
        Assert.Contains("""sendproxy_fanout_events_total{outcome="unmatched"} 1""", await _store.ScrapeAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Round_EnvelopeThatCannotBeRead_IsPutAside()
    {
        await _store.Queue.EnqueueAsync([new NewItem { Queue = EventEnvelope.Events, Route = "test", Metadata = "{}"u8.ToArray(), Body = default }], Cancel);

        await (await WorkerAsync()).RoundAsync(Cancel);

        var counts = await _store.Queue.CountsAsync(EventEnvelope.Events, Cancel);
        Assert.Equal([(ItemState.Dead, 1L)], counts.Value!.Select(c => (c.State, c.Items)));
    }

    [Fact]
    public void DeliveryId_SameEventAndSubscriber_IsTheSameAndNoOther()
    {
        var (one, two) = (Guid.NewGuid(), Guid.NewGuid());

        Assert.Equal(FanOutWorker.DeliveryId(one, "a"), FanOutWorker.DeliveryId(one, "a"));
        Assert.Equal(4, new[] { (one, "a"), (one, "b"), (two, "a"), (two, "b") }.Select(x => FanOutWorker.DeliveryId(x.Item1, x.Item2)).Distinct().Count());
        Assert.Equal(8, FanOutWorker.DeliveryId(one, "a").Version);
    }

    private static FanOutState State(params string[] subscribers) => new(subscribers.Select(s => s.Split(": ")).ToFrozenDictionary(
        s => s[0],
        s => new Subscriber(
            new SubscriberOptions(s[0], new Uri("http://localhost/"), null, FrozenSet<string>.Empty, [new EventGlob(s[1])], default, default, default, default, 1, [], false),
            new KeyRing([], SigningKeyFormat.StandardWebhooks)),
        StringComparer.Ordinal));

    private async Task<FanOutWorker> WorkerAsync()
    {
        var keeper = new JournalHost(true, _ => Task.FromResult(new OpenedJournal(_store.Queue, _store, _store.SealKeys)));
        await keeper.OpenAsync(Cancel);
        var metrics = Prometheus.Metrics.WithCustomRegistry(_store.Registry);
        return new FanOutWorker(
            keeper, _live, new FanOutMetrics(metrics), new NotDraining(),
            new WorkerContext(new WorkerMetrics(metrics, _store.Time), _store.Time, NullLoggerFactory.Instance));
    }

    private async Task StoreAsync(string type) => await _store.Queue.EnqueueAsync(
        [new NewItem
        {
            Queue = EventEnvelope.Events,
            Route = "test",
            Metadata = new EventEnvelope { Source = "test", Id = "evt_1", Type = type, Received = _store.Time.GetUtcNow() }.ToBytes(),
            Body = "body"u8.ToArray(),
        }], Cancel);

    private async Task<IReadOnlyList<ClaimedItem>> ClaimAsync(string queue) => (await _store.Queue.ClaimAsync(new ClaimRequest(queue, 100), Cancel)).Items;

    private sealed class NotDraining : IDraining
    {
        public CancellationToken Started => CancellationToken.None;

        public CancellationToken Forced => CancellationToken.None;
    }
}
