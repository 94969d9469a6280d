using System.Buffers;
using Microsoft.Extensions.Logging.Abstractions;
using SendProxy.Composition;
using SendProxy.Egress.Recipients;
using SendProxy.Secrets;
using SendProxy.Sending;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Upstreams.Connections;
using SendProxy.Upstreams.Credentials;
using SendProxy.Workers;

namespace SendProxy.Bench;

/// <summary>The real sender with the real connections, composed of a configuration as the process does it.</summary>
internal sealed class SendingUnderBench : IDisposable
{
    public static readonly byte[] Body = [.. "{\"to\":\"+491701234567\",\"from\":\"Shop\",\"text\":\""u8, .. Enumerable.Repeat((byte)'a', 120), .. "\"}"u8];

    private static readonly KeyValuePair<string, string>[] Headers = [new("Content-Type", "application/json"), new("User-Agent", "bench/1")];

    private readonly string _folder = Directory.CreateTempSubdirectory("sendproxy-bench-").FullName;
    private readonly ReplacedResources _replaced;
    private readonly UpstreamComposer _upstreams;
    private readonly EgressComposer _composer;
    private readonly TlsFilesPoller _certificates;
    private readonly SecretPoller _secrets;
    private readonly SendPlan _plan;
    private readonly Sender _sender;
    private long _number;

    public SendingUnderBench(Uri vendor, string limits)
    {
        var time = TimeProvider.System;
        var metrics = Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry());
        File.WriteAllText(Path.Combine(_folder, "key"), "sk_live_bench0123456789");
        File.WriteAllText(Path.Combine(_folder, "proxy.yaml"), $$"""
            version: 1
            upstreams:
              sendapi: { preset: sendapi, address: "{{vendor.GetLeftPart(UriPartial.Authority)}}", allowInsecureLoopback: true, credential: { file: key }, retry: { baseDelay: 1ms, floor: 100000/s }, breaker: { failureRatio: 100% } }
            {{limits}}
            """);
        var settings = ProxySettings.Load(Path.Combine(_folder, "proxy.yaml"), _ => null);
        var sending = new SendingMetrics(metrics);
        _certificates = new TlsFilesPoller(metrics, new WorkerContext(new WorkerMetrics(metrics, time), time, NullLoggerFactory.Instance));
        _secrets = new SecretPoller(new SecretMetrics(metrics), metrics, new WorkerContext(new WorkerMetrics(metrics, time), time, NullLoggerFactory.Instance));
        _replaced = new ReplacedResources(time);
        _upstreams = new UpstreamComposer(
            _replaced, _secrets, new CredentialUsageTracker(new CredentialMetrics(metrics, time), time, NullLogger<CredentialUsageTracker>.Instance), _certificates, sending, time);
        _composer = new EgressComposer(
            _replaced, _upstreams, _secrets,
            new LimiterFactory(null, new SendProxy.Redis.FleetOptions(null, 1, ""), new LimitMetrics(metrics), time, Random.Shared.NextDouble, NullLogger<LimiterFactory>.Instance),
            new RecipientCheckFactory(new RecipientMetrics(metrics), () => 0.5, time));
        _plan = _composer.Compose(settings).Routes.Find("POST", "/v1/sms/send").Route!.Plan;
        var store = new Always();
        _sender = new Sender(sending, new DetachedAttemptTracker(sending), new IdempotencyGate(() => store, new UnrecordedSends(new IdempotencyMetrics(metrics)), new IdempotencyMetrics(metrics), time), time, () => 0.5);
    }

    /// <returns>The answer's length.</returns>
    public async Task<int> SendAsync(IdempotencyKeyOrigin origin)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Body.Length);
        Body.CopyTo(buffer, 0);
        using var body = ReplayBody.Rented(buffer, Body.Length, null);
        var key = origin == IdempotencyKeyOrigin.Generated
            ? IdempotencyKey.Generate(TimeProvider.System)
            : new IdempotencyKey($"order-{Interlocked.Increment(ref _number)}", IdempotencyKeyOrigin.Caller);
        var outcome = await _sender.SendAsync(
            new OutboundMessage
            {
                RequestId = key.Value,
                Plan = _plan,
                Method = HttpMethod.Post,
                PathAndQuery = "/v1/sms/send",
                Headers = Headers,
                Body = body,
                IdempotencyKey = key,
                Lane = LaneTable.Default.Usual,
                Deadline = Deadline.In(TimeSpan.FromSeconds(30), TimeProvider.System),
            },
            CancellationToken.None);
        if (outcome.Response is not { StatusCode: System.Net.HttpStatusCode.Accepted } answer)
        {
            throw new InvalidOperationException(outcome.Refusal?.ToString() ?? $"{outcome.Response!.StatusCode}");
        }

        using (answer)
        {
            return outcome.Body?.Length ?? (await answer.Content.ReadAsByteArrayAsync()).Length;
        }
    }

    public void Dispose()
    {
        _composer.Dispose();
        _upstreams.Dispose();
        _replaced.Dispose();
        _certificates.Dispose();
        _secrets.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    // Every key is new, and nothing is kept: what the gate does by itself.
    private sealed class Always : IIdempotencyStore
    {
        private static readonly ClaimResult Owned = new(ClaimVerdict.Owned, 1);

        public ValueTask<ClaimResult> ClaimAsync(IdempotencyKeyClaim claim, CancellationToken cancellation) => new(Owned);

        public ValueTask<bool> EndAsync(
            IdempotencyKeyScope scope, long token, IdempotencyRecordEnd end, StoredResponse? answer, DateTimeOffset? started, CancellationToken cancellation) => new(true);

        public Task WaitAsync(IdempotencyKeyScope scope, CancellationToken cancellation) => Task.CompletedTask;
    }
}
