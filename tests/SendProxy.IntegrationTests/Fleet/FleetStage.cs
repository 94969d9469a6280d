using System.Text;
using SendProxy.IntegrationTests.Egress;
using SendProxy.Sandbox.Server;
using SendProxy.Tests.Redis;

namespace SendProxy.IntegrationTests.Fleet;

/// <summary>Two real proxies before a simulated vendor, with one real Redis between them.</summary>
internal sealed class FleetStage : IAsyncDisposable
{
    private readonly List<(ProxyFolder Folder, ProxyProcess Proxy, HttpClient Client)> _proxies = [];

    private readonly RedisServer? _redis;

    private readonly string _seal = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
    private readonly string _more;

    private FleetStage(SandboxServer vendor, RedisServer? redis, string more) => (Vendor, _redis, _more) = (vendor, redis, more);

    /// <summary>How many proxies there are.</summary>
    public int Count => _proxies.Count;

    public SandboxServer Vendor { get; }

    public RedisServer Redis => _redis ?? throw new InvalidOperationException("The test brought its own.");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ProxyProcess Proxy(int number) => _proxies[number].Proxy;

    public ProxyFolder Folder(int number) => _proxies[number].Folder;

    public Uri Address(int number) => _proxies[number].Client.BaseAddress!;

    /// <summary>SIGKILL, and the same configuration once more, on another port.</summary>
    public async Task KillAndRestartAsync(int number)
    {
        var (folder, old, client) = _proxies[number];
        await old.DisposeAsync();
        var proxy = await ProxyProcess.StartAsync(folder, Token);
        _proxies[number] = (folder, proxy, new HttpClient { BaseAddress = proxy.Address("egress") });
        client.Dispose();
    }

    /// <param name="upstreams">More settings of the upstream, one text for each proxy.</param>
    /// <param name="callTimeout">Long by default: on a busy machine the tests are about what Redis says, not how soon.</param>
    /// <param name="more">More sections of each proxy.</param>
    /// <param name="connection">To a Redis of the test's own; null: one is started.</param>
    public static async Task<FleetStage> SetAsync(string[] upstreams, string callTimeout = "2s", SandboxOptions? vendor = null, string? connection = null, string more = "")
    {
        var redis = connection is null ? await RedisServer.TryStartAsync() : null;
        if (connection is null && redis?.IsOwn != true)
        {
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", "It needs a redis-server of its own; install it.");
            throw new InvalidOperationException("CI has no redis-server.");
        }

        var server = await SandboxServer.StartAsync(vendor ?? new SandboxOptions { Keys = [EgressStage.Key] }, TimeProvider.System, Token);
        var stage = new FleetStage(server, redis, Fleet(connection ?? redis!.Address, callTimeout) + "\n" + more);
        foreach (var upstream in upstreams)
        {
            await stage.AddAsync(upstream);
        }

        return stage;
    }

    /// <summary>Proxies that are each alone: no Redis.</summary>
    public static async Task<FleetStage> SetAloneAsync(string[] upstreams, SandboxOptions vendor, string more)
    {
        var stage = new FleetStage(await SandboxServer.StartAsync(vendor, TimeProvider.System, Token), null, more);
        foreach (var upstream in upstreams)
        {
            await stage.AddAsync(upstream, isAlone: true);
        }

        return stage;
    }

    /// <summary>One proxy more.</summary>
    public async Task AddAsync(string upstream, bool isAlone = false)
    {
        var folder = new ProxyFolder().Configure(EgressStage.Config(Vendor.HttpAddress!, upstream, _more))
            .Write("key", EgressStage.Key).Write("seal", _seal);
        var proxy = await ProxyProcess.StartAsync(folder, Token);
        if (!isAlone)
        {
            await proxy.WaitForLineAsync(l => l.Contains("Redis answers", StringComparison.Ordinal), Token);
        }

        _proxies.Add((folder, proxy, new HttpClient { BaseAddress = proxy.Address("egress") }));
    }

    public static string Fleet(string redis, string callTimeout) => $$"""
        fleet: { redis: { connection: "{{redis}}", callTimeout: {{callTimeout}} } }
        journal: { kind: none, sealKeys: [{ file: seal }] }
        """;

    /// <summary>One send through the proxy of that number.</summary>
    public async Task<HttpResponseMessage> SendAsync(int proxy, string key, string? fault = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/sms/send")
        {
            Content = new StringContent(EgressStage.Sms, Encoding.UTF8, "application/json"),
            Headers = { { "Idempotency-Key", key } },
        };
        if (fault is not null)
        {
            request.Headers.Add("X-Sandbox-Fault", fault);
        }

        return await _proxies[proxy].Client.SendAsync(request, Token);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (folder, proxy, client) in _proxies)
        {
            client.Dispose();
            await proxy.DisposeAsync();
            folder.Dispose();
        }

        await Vendor.DisposeAsync();
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }
    }
}
