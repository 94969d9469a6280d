using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using SendProxy.Configuration;
using SendProxy.Overload;
using SendProxy.Queueing;
using SendProxy.Receiving;
using SendProxy.Secrets;
using SendProxy.Telemetry;
using SendProxy.Tests.Queueing;

namespace SendProxy.Tests.Receiving;

/// <summary>The webhooks handler over a real queue with a gate before its commits.</summary>
internal sealed class ReceivingUnderTest : IAsyncDisposable
{
    public const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private readonly SqliteQueueUnderTest _store;
    private readonly MemoryStream _log = new();
    private readonly LogSink _sink;
    private readonly Live<ReceivingState> _live;
    private readonly WebhookHandler _handler;
    private readonly DataRateMonitor _rates;

    private ReceivingUnderTest(SqliteQueueUnderTest store, Dictionary<string, Source> sources, JournalHost keeper, GatedQueue queue)
    {
        _store = store;
        Queue = queue;
        var factory = Prometheus.Metrics.WithCustomRegistry(store.Registry);
        _sink = new LogSink(factory, _log);
        _live = new Live<ReceivingState>(new ReceivingState(sources.ToFrozenDictionary(StringComparer.Ordinal)));
        var telemetry = new WebhookTelemetry(new WebhookMetrics(factory), _sink, new TelemetryOptions(LogLevel.Information, 1), () => 0.5, store.Time,
            LoggerFactory.Create(l => l.AddProvider(new JsonLoggerProvider(_sink, store.Time, LogLevel.Information))).CreateLogger<WebhookTelemetry>());
        Budget = new MemoryBudget(64 << 20, isShared: false);
        _rates = new DataRateMonitor(new DataRateOptions(1024, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(30)), store.Time);
        _handler = new WebhookHandler(_live, keeper, new WebhookBodies(new RequestBodyReader(Budget, _rates), Budget), telemetry, store.Time);
    }

    public GatedQueue Queue { get; }

    public MemoryBudget Budget { get; }

    public Microsoft.Extensions.Time.Testing.FakeTimeProvider Time => _store.Time;

    /// <param name="yaml">What the source <c>test</c> says beside its secrets.</param>
    public static async Task<ReceivingUnderTest> OpenAsync(string yaml = "preset: sendapi", string? secrets = Secret, int maxItems = 1000)
    {
        var store = await SqliteQueueUnderTest.OpenAsync(SqliteQueueUnderTest.NewOptions() with { MaxItems = maxItems });
        var queue = new GatedQueue(store.Queue);
        var keeper = new JournalHost(true, _ => Task.FromResult(new OpenedJournal(queue, store, store.SealKeys)));
        await keeper.OpenAsync(CancellationToken.None);
        var options = Recipes.Read($"{{ {yaml}, secrets: [{{ env: NONE }}] }}");
        var metrics = new SecretMetrics(Prometheus.Metrics.WithCustomRegistry(store.Registry));
        WatchedSecret Watched(string value) => new("test", new Given(value), SecretFormat.Any, metrics, store.Time);
        var ring = new KeyRing(
            [.. (secrets ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Watched)],
            options.Recipe?.Key ?? SigningKeyFormat.StandardWebhooks);
        var source = new Source(options, ring, options.VerifyToken is null ? null : Watched("meatyhamhock"));
        return new ReceivingUnderTest(store, new Dictionary<string, Source> { ["test"] = source }, keeper, queue);
    }

    public static string Sign(string id, string timestamp, byte[] body, string secret = Secret) =>
        "v1," + Convert.ToBase64String(SigningKey.Create(new Secret(secret), SigningKeyFormat.StandardWebhooks)!
            .Sign(Encoding.UTF8.GetBytes($"{id}.{timestamp}."), body));

    /// <summary>A signed webhook of Standard Webhooks; <paramref name="change"/> spoils it.</summary>
    public DefaultHttpContext Webhook(string body, string id = "msg_1", Action<DefaultHttpContext>? change = null, string secret = Secret)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var timestamp = Time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var context = Request("POST", "/webhooks/test");
        context.Request.Body = new MemoryStream(bytes);
        context.Request.ContentLength = bytes.Length;
        context.Request.ContentType = "application/json";
        context.Request.Headers["webhook-id"] = id;
        context.Request.Headers["webhook-timestamp"] = timestamp;
        context.Request.Headers["webhook-signature"] = Sign(id, timestamp, bytes, secret);
        change?.Invoke(context);
        return context;
    }

    public static DefaultHttpContext Request(string method, string target)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Request.Path = target.Split('?')[0];
        context.Request.QueryString = new QueryString(target.Contains('?', StringComparison.Ordinal) ? target[target.IndexOf('?', StringComparison.Ordinal)..] : "");
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        context.Response.Body = new MemoryStream();
        return context;
    }

    public Task HandleAsync(HttpContext context) => _handler.HandleAsync(context);

    /// <returns>Status, and the reason of a refusal or the body.</returns>
    public async Task<(int Status, string Reason)> SendAsync(HttpContext context)
    {
        await HandleAsync(context);
        return (context.Response.StatusCode, ReasonOf(context));
    }

    public static string ReasonOf(HttpContext context)
    {
        var text = Encoding.UTF8.GetString(((MemoryStream)context.Response.Body).ToArray());
        if (context.Response.ContentType != "application/problem+json")
        {
            return text;
        }

        using var json = System.Text.Json.JsonDocument.Parse(text);
        return json.RootElement.GetProperty("detail").GetString()!.Split(':')[0];
    }

    public async Task<ClaimedItem[]> StoredAsync() =>
        [.. (await _store.Queue.ClaimAsync(new ClaimRequest(EventEnvelope.Events, 100), CancellationToken.None)).Items];

    public Task<string> ScrapeAsync() => _store.ScrapeAsync();

    public async Task<string> LogAsync()
    {
        await _sink.DisposeAsync();
        return Encoding.UTF8.GetString(_log.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        _rates.Dispose();
        await _sink.DisposeAsync();
        await _store.DisposeAsync();
    }

    private sealed class Given(string value) : ISecretSource
    {
        public string Place => "test";

        public IReadOnlyList<SecretReading> Read() => [new(SecretSlot.Current, SecretState.Ok, value)];
    }
}
