using System.Collections.Frozen;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Prometheus;
using SendProxy.Configuration;
using SendProxy.FanOut;
using SendProxy.Queueing;
using SendProxy.Queueing.Sqlite;
using SendProxy.Secrets;
using SendProxy.Sqlite;
using SendProxy.Telemetry;
using SendProxy.Workers;

namespace SendProxy.IntegrationTests.Webhooks;

/// <summary>The last step of the way out, over a real journal and real sockets, on a clock of the test's.</summary>
internal sealed class DeliveryUnderTest : IAsyncDisposable
{
    public const string Key = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    public const string NextKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private readonly ProxyFolder _folder = new();
    private readonly SubscriberClient _client = new();
    private readonly LogSink _sink;
    private readonly JournalHost _journal;
    private readonly Deliverer _deliverer;
    private readonly FanOutMetrics _metrics;
    private readonly WorkerMetrics _worker;
    private readonly CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();

    private DeliveryUnderTest()
    {
        var metrics = Prometheus.Metrics.WithCustomRegistry(_registry);
        var options = new JournalOptions { Path = Path.Combine(_folder.Path, "j.db"), AllowEphemeral = true, Minimum = Durability.Memory };
        _journal = new JournalHost(true, async cancel =>
        {
            var store = SqliteJournal.Open(options.ToSqlite(), new JournalMetrics(metrics), TimeProvider.System);
            var queue = await SqliteMessageQueue.OpenAsync(options, store, metrics, Time, NullLogger.Instance, cancel);
            return new OpenedJournal(queue, store, queue.Sealing.Keys);
        });
        _sink = new LogSink(metrics, Stream.Null);
        _metrics = new FanOutMetrics(metrics);
        _worker = new WorkerMetrics(metrics, Time);
        var telemetry = new DeliveryTelemetry(_metrics, _sink, new TelemetryOptions(LogLevel.Information, 1), () => 0.5, Time);
        _deliverer = new Deliverer(_journal, new DeliveryAttempt(_client, Time), telemetry, () => 0.5, Time);
    }

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 11, 24, 7, 0, 0, TimeSpan.Zero));

    public IMessageQueue Queue => _journal.Queue;

    public static async Task<DeliveryUnderTest> OpenAsync()
    {
        var test = new DeliveryUnderTest();
        await test._journal.OpenAsync(CancellationToken.None);
        return test;
    }

    /// <param name="yaml">What the subscriber says beside its URL.</param>
    public Subscriber Subscriber(Uri url, string yaml = "", params string[] keys)
    {
        var document = new SettingsDocument(_ => null);
        var place = new SettingsSource("test", _folder.Path);
        var signWith = keys.Length == 0 ? "" : $", signWith: [{string.Join(", ", keys.Select(_ => "{ env: NONE }"))}]";
        var node = document.Parse($"{{ url: \"{url}\"{signWith}{(yaml.Length > 0 ? ", " : "")}{yaml} }}", place)!;
        var options = SubscriberOptions.Read("app", new SettingsReader(document, "s", [new SettingsLayer(node, place)], "s"));
        Assert.Empty(document.Errors);
        var metrics = new SecretMetrics(Prometheus.Metrics.WithCustomRegistry(_registry));
        return new Subscriber(options, new KeyRing(
            [.. keys.Select(k => new WatchedSecret("key", new Given(k), SecretFormat.Any, metrics, Time))], SigningKeyFormat.StandardWebhooks));
    }

    public async Task<Guid> StoreAsync(string body = "{}", params (string, string)[] headers)
    {
        var envelope = new EventEnvelope
        {
            Source = "sendapi",
            Id = "evt_1",
            Type = "message.sent",
            Received = Time.GetUtcNow(),
            ContentType = "application/json",
            Headers = headers,
        };
        var stored = await Queue.EnqueueAsync(
            [new NewItem { Queue = EventEnvelope.Deliveries, Route = "app", Group = "app", Metadata = envelope.ToBytes(), Body = System.Text.Encoding.UTF8.GetBytes(body) }],
            CancellationToken.None);
        return stored[0].Id;
    }

    /// <summary>Claims what is due and makes one attempt.</summary>
    public Task<DeliveryOutcome?> DeliverAsync(Subscriber subscriber) => DeliverUntilAsync(subscriber, CancellationToken.None);

    /// <summary>The same, cut off by <paramref name="cut"/>.</summary>
    public async Task<DeliveryOutcome?> DeliverUntilAsync(Subscriber subscriber, CancellationToken cut)
    {
        var item = Assert.Single((await Queue.ClaimAsync(new ClaimRequest(EventEnvelope.Deliveries, 1), CancellationToken.None)).Items);
        return await _deliverer.DeliverAsync(subscriber, item, cut);
    }

    public async Task<StoredItem> GetAsync(Guid id) => (await Queue.GetAsync(EventEnvelope.Deliveries, id, CancellationToken.None)).Value!;

    public SubscriberLoop Loop(Subscriber subscriber, ILogger<SubscriberLoop> logger)
    {
        var live = new Live<FanOutState>(new FanOutState(new Dictionary<string, Subscriber> { ["app"] = subscriber }.ToFrozenDictionary()));
        return new SubscriberLoop("app", _journal, live, _deliverer, _metrics, new WorkerContext(_worker, Time, new OneLogger(logger)));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _journal.DisposeAsync();
        await _sink.DisposeAsync();
        _folder.Dispose();
    }

    private sealed class OneLogger(ILogger logger) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) => logger;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }
    }

    private sealed class Given(string value) : ISecretSource
    {
        public string Place => value;

        public IReadOnlyList<SecretReading> Read() => [new(SecretSlot.Current, SecretState.Ok, value)];
    }
}

/// <summary>Lets a test wait for a line of the log.</summary>
internal sealed class Heard<T>(string eventName) : ILogger<T>
{
    private readonly TaskCompletionSource _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Once => _heard.Task.WaitAsync(ProxyProcess.Guard);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Name == eventName)
        {
            _heard.TrySetResult();
        }
    }
}
