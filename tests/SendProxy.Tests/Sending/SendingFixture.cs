using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using SendProxy.Composition;
using SendProxy.Configuration;
using SendProxy.Egress;
using SendProxy.Sending;
using SendProxy.Sending.Attempts;
using SendProxy.Sending.Idempotency;
using SendProxy.Sending.RateLimiting.Priorities;

namespace SendProxy.Tests.Sending;

/// <summary>What a sender and its gate work on, composed of a configuration as the process does it; nothing listens.</summary>
internal sealed class SendingFixture : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sendproxy-sending-").FullName;
    private readonly WebApplication _app;

    /// <param name="upstream">More of the upstream: <c>idempotency: { carrier: none }</c>.</param>
    /// <param name="more">Limits, say.</param>
    public SendingFixture(string upstream = "", string more = "", int port = 9)
    {
        File.WriteAllText(Path.Combine(_folder, "key"), "sk_live_sending0123456789");
        var path = Path.Combine(_folder, "proxy.yaml");
        File.WriteAllText(path, $$"""
            version: 1
            roles: [egress]
            upstreams: { sendapi: { preset: sendapi, address: "http://127.0.0.1:{{port}}", allowInsecureLoopback: true, credential: { file: key }, {{upstream}} } }
            {{more}}
            """);
        _app = ProxyHost.Build(path, ProxySettings.Load(path, _ => null), Stream.Null);
        Plan = _app.Services.GetRequiredService<Live<EgressState>>().Current.Routes.Find("POST", "/v1/sms/send").Route!.Plan;
    }

    public SendPlan Plan { get; }

    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public Sender Sender(IdempotencyGate gate, TimeProvider? time = null) =>
        new(Get<SendingMetrics>(), Get<DetachedAttemptTracker>(), gate, time ?? TimeProvider.System, () => 0.5);

    /// <param name="key">The application's; null: none.</param>
    public OutboundMessage Message(string? key = null, IReadOnlyList<KeyValuePair<string, string>>? headers = null, string target = "/v1/sms/send", Deadline? deadline = null, SendPlan? plan = null) => new()
    {
        RequestId = Guid.NewGuid().ToString(),
        Plan = plan ?? Plan,
        Method = HttpMethod.Post,
        PathAndQuery = target,
        Headers = headers ?? [new("Content-Type", "application/json")],
        Body = ReplayBody.Empty,
        IdempotencyKey = key is null ? IdempotencyKey.None : new IdempotencyKey(key, IdempotencyKeyOrigin.Caller),
        Lane = LaneTable.Default.Usual,
        Deadline = deadline ?? Deadline.In(TimeSpan.FromSeconds(30), TimeProvider.System),
    };

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>A store of keys that says what the test says.</summary>
internal sealed class ScriptedStore : IIdempotencyStore
{
    public ClaimResult Found { get; set; } = new(ClaimVerdict.Owned, 1);

    public List<IdempotencyKeyClaim> Claims { get; } = [];

    public List<(IdempotencyKeyScope Scope, IdempotencyRecordEnd End, DateTimeOffset? Started)> Ends { get; } = [];

    public ValueTask<ClaimResult> ClaimAsync(IdempotencyKeyClaim claim, CancellationToken cancellation)
    {
        Claims.Add(claim);
        return new(Found);
    }

    public ValueTask<bool> EndAsync(
        IdempotencyKeyScope scope, long token, IdempotencyRecordEnd end, StoredResponse? answer, DateTimeOffset? started, CancellationToken cancellation)
    {
        Ends.Add((scope, end, started));
        return new(Found.Verdict != ClaimVerdict.Unavailable);
    }

    public Task WaitAsync(IdempotencyKeyScope scope, CancellationToken cancellation) => Task.CompletedTask;
}
