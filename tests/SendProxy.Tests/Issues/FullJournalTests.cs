using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using SendProxy.Configuration;
using SendProxy.FanOut;
using SendProxy.Hosting;
using SendProxy.Queueing;
using SendProxy.Secrets;
using SendProxy.Tests.Queueing;
using SendProxy.Workers;

namespace SendProxy.Tests.Issues;

/// <summary>A journal that is full of events delivers them once its subscribers are back: fan-out has room of its own.</summary>
public sealed class FullJournalTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(100, 1L << 40, 1)]
    [InlineData(100, 1L << 40, 2)]
    [InlineData(1_000_000, 4L << 20, 1)]
    [InlineData(1_000_000, 4L << 20, 3)]
    public async Task FanOut_JournalFullOfEvents_EachIsDeliveredToEachWithFewFailedRounds(int maxItems, long maxBytes, int subscribers)
    {
        await using var store = await SqliteQueueUnderTest.OpenAsync(SqliteQueueUnderTest.NewOptions() with { MaxItems = maxItems, MaxBytes = maxBytes });
        var stored = await FillAsync(store);
        var (worker, lines) = await WorkerAsync(store, subscribers);

        var (delivered, failed) = (0, 0);
        while (delivered < stored * subscribers)
        {
            await worker.RoundAsync(Cancel);
            failed += worker.IsWaitingForRoom ? 1 : 0;
            var claimed = await store.Queue.ClaimAsync(new ClaimRequest(EventEnvelope.Deliveries, 16), Cancel);
            foreach (var item in claimed.Items)
            {
                Assert.True((await store.Queue.FinishAsync(item.Lease, Finish.Done(), Cancel)).IsDone);
                delivered++;
            }

            Assert.True(failed <= stored, $"{delivered} of {stored * subscribers} were delivered, and {failed} rounds failed");
        }

        await worker.RoundAsync(Cancel);
        Assert.Equal(failed == 0 ? 0 : 2, lines.Count); // It waits; it goes on.
        Assert.Equal(EnqueueVerdict.Stored, (await store.Queue.EnqueueAsync([Event()], Cancel))[0].Verdict);
    }

    [Fact]
    public async Task FanOut_NoRoomEvenForOne_WaitsWithOneLineAndTheEventsAsTheyWere()
    {
        await using var store = await SqliteQueueUnderTest.OpenAsync(SqliteQueueUnderTest.NewOptions() with { MaxItems = 100 });
        var stored = await FillAsync(store);
        var (worker, lines) = await WorkerAsync(store, subscribers: 2);

        // Nobody takes the deliveries: the reserve is used up.
        for (var round = 0; round < 20; round++)
        {
            await worker.RoundAsync(Cancel);
        }

        var events = (await store.Queue.CountsAsync(EventEnvelope.Events, Cancel)).Value!;
        Assert.True(worker.IsWaitingForRoom);
        Assert.Single(lines);
        Assert.DoesNotContain(events, count => count.State is ItemState.Leased or ItemState.Retrying or ItemState.Dead);
        Assert.Equal(stored, events.Sum(count => count.Items) + ((await store.Queue.CountsAsync(EventEnvelope.Deliveries, Cancel)).Value!.Sum(count => count.Items) / 2));
    }

    [Theory]
    [InlineData(100, 1L << 40, "journal.maxItems is reached")]
    [InlineData(1_000_000, 4L << 20, "journal.maxBytes is reached")]
    public async Task Readiness_AtABound_NamesItUntilThereIsRoom(int maxItems, long maxBytes, string reason)
    {
        await using var store = await SqliteQueueUnderTest.OpenAsync(SqliteQueueUnderTest.NewOptions() with { MaxItems = maxItems, MaxBytes = maxBytes });
        var journal = new JournalHost(true, _ => Task.FromResult(new OpenedJournal(store.Queue, store, store.SealKeys)));
        await journal.OpenAsync(Cancel);
        Assert.Null(journal.NotReady());
        await FillAsync(store);

        Assert.StartsWith(reason, journal.NotReady(), StringComparison.Ordinal);
        await store.Queue.SweepAsync(10, Cancel);
        Assert.StartsWith(reason, journal.NotReady(), StringComparison.Ordinal);

        var claimed = await store.Queue.ClaimAsync(new ClaimRequest(EventEnvelope.Events, 2), Cancel);
        foreach (var item in claimed.Items)
        {
            await store.Queue.FinishAsync(item.Lease, Finish.Done(), Cancel);
        }

        await store.Queue.SweepAsync(10, Cancel);
        Assert.Null(journal.NotReady());
    }

    private static async Task<int> FillAsync(SqliteQueueUnderTest store)
    {
        var stored = 0;
        while ((await store.Queue.EnqueueAsync([Event()], Cancel))[0].Verdict == EnqueueVerdict.Stored)
        {
            stored++;
        }

        return stored;
    }

    private static NewItem Event() => new()
    {
        Queue = EventEnvelope.Events,
        Route = "test",
        Metadata = new EventEnvelope { Source = "test", Id = "evt_1", Type = "message.sent", Received = QueueUnderTest.Start }.ToBytes(),
        Body = new byte[50_000],
    };

    private static async Task<(FanOutWorker Worker, List<string> Lines)> WorkerAsync(SqliteQueueUnderTest store, int subscribers)
    {
        var journal = new JournalHost(true, _ => Task.FromResult(new OpenedJournal(store.Queue, store, store.SealKeys)));
        await journal.OpenAsync(Cancel);
        var live = new Live<FanOutState>(new FanOutState(Enumerable.Range(0, subscribers).Select(n => $"s{n}").ToFrozenDictionary(
            name => name,
            name => new Subscriber(
                new SubscriberOptions(name, new Uri("http://localhost/"), null, FrozenSet<string>.Empty, [new EventGlob("*")], default, default, default, default, 1, [], false),
                new KeyRing([], SigningKeyFormat.StandardWebhooks)),
            StringComparer.Ordinal)));
        var metrics = Prometheus.Metrics.WithCustomRegistry(store.Registry);
        var logger = new Lines();
        return (new FanOutWorker(
            journal, live, new FanOutMetrics(metrics), new NotDraining(), new WorkerContext(new WorkerMetrics(metrics, store.Time), store.Time, logger)), logger.All);
    }

    private sealed class Lines : ILogger, ILoggerFactory
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Add(formatter(state, exception));
    }

    private sealed class NotDraining : IDraining
    {
        public CancellationToken Started => CancellationToken.None;

        public CancellationToken Forced => CancellationToken.None;
    }
}
