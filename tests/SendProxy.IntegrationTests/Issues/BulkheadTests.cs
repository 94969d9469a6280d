using System.Net;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Issues;

// A vendor that hangs costs its own callers, and nobody else.
public class BulkheadTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Send_WhileAnotherVendorHangs_GoesThrough()
    {
        await using var stage = await TwoVendors.StartAsync("process: { maxInFlight: 8 }", "");
        var hanging = Enumerable.Range(0, 4).Select(_ => stage.GetAsync("/hang/x")).ToArray();
        await stage.HangingAsync(4);

        // 4 of 8 are its places: more are refused at once, and the other vendor has the rest.
        using var refused = await stage.GetAsync("/hang/x");
        var good = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => stage.GetAsync("/good/x")));

        var problem = await refused.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "upstream_busy", "no");
        Assert.Contains("upstreams.hang.maxInFlight (4)", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("1", refused.Headers.RetryAfter?.ToString());
        Assert.All(good, g => Assert.Equal(HttpStatusCode.OK, g.StatusCode));
        Assert.Contains("sendproxy_upstream_requests_in_flight{upstream=\"hang\"} 4", await stage.App.MetricsAsync(), StringComparison.Ordinal);

        stage.LetGo();
        Assert.All(await Task.WhenAll(hanging), h => Assert.Equal(HttpStatusCode.OK, h.StatusCode));
        using var again = await stage.GetAsync("/hang/x");
        Assert.Equal(HttpStatusCode.OK, again.StatusCode);
    }

    [Fact]
    public async Task Send_RouteWithABoundOfItsOwn_LeavesPlacesForTheOtherRoutes()
    {
        await using var stage = await TwoVendors.StartAsync("process: { maxInFlight: 8 }", "", slowRoute: "maxInFlight: 1");
        var hanging = stage.GetAsync("/hang/x");
        await stage.HangingAsync(1);

        using var refused = await stage.GetAsync("/hang/x");

        var problem = await refused.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "upstream_busy", "no");
        Assert.Contains("maxInFlight (1) of the route hang", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        stage.LetGo();
        Assert.Equal(HttpStatusCode.OK, (await hanging).StatusCode);
    }

    [Fact]
    public async Task Send_AllConnectionsInUse_IsToldSo()
    {
        await using var stage = await TwoVendors.StartAsync("", "connections: { max: 1 }, timeouts: { attempt: 10m, total: 1h }, retry: { attempts: 1 }");
        var hanging = stage.GetAsync("/hang/x");
        await stage.HangingAsync(1);

        using var refused = await stage.GetAsync("/hang/x", ("SendProxy-Timeout", "300ms"));

        var problem = await refused.AssertProblemAsync(HttpStatusCode.ServiceUnavailable, "upstream_busy", "no");
        Assert.Contains("connections.max: 1", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        stage.LetGo();
        Assert.Equal(HttpStatusCode.OK, (await hanging).StatusCode);
    }

    /// <summary>The proxy before one vendor that hangs until it is let go, and one that answers.</summary>
    private sealed class TwoVendors : IAsyncDisposable
    {
        private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly SemaphoreSlim _hanging = new(0);
        private readonly WireVendor _hang;
        private readonly WireVendor _good;

        private TwoVendors()
        {
            _hang = new WireVendor(c => ServeAsync(c, hangs: true));
            _good = new WireVendor(c => ServeAsync(c, hangs: false));
        }

        public EgressApp App { get; private set; } = null!;

        public static async Task<TwoVendors> StartAsync(string more, string hang, string slowRoute = "")
        {
            var stage = new TwoVendors();
            stage.App = await EgressApp.StartAsync(stage._good.Address, "", folder => folder.Configure($$"""
                version: 1
                listen: { egress: ["127.0.0.1:0"], webhooks: ["127.0.0.1:0"], metrics: ["127.0.0.1:0"] }
                shutdown: { drain: 2s }
                upstreams:
                  good: { address: "{{stage._good.Address.GetLeftPart(UriPartial.Authority)}}", allowInsecureLoopback: true, credential: { file: key } }
                  hang: { address: "{{stage._hang.Address.GetLeftPart(UriPartial.Authority)}}", allowInsecureLoopback: true, credential: { file: key }, {{hang}} }
                routes:
                  - { name: good, upstream: good, match: { methods: [GET], prefix: /good/ } }
                  - { name: hang, upstream: hang, match: { methods: [GET], prefix: /hang/ }, {{slowRoute}} }
                {{more}}

                """));
            return stage;
        }

        public async Task<HttpResponseMessage> GetAsync(string path, params (string Name, string Value)[] headers)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
            foreach (var (name, value) in headers)
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }

            return await App.Client.SendAsync(request, Token).WaitAsync(ProxyProcess.Guard, Token);
        }

        public async Task HangingAsync(int count)
        {
            for (var i = 0; i < count; i++)
            {
                Assert.True(await _hanging.WaitAsync(ProxyProcess.Guard, Token));
            }
        }

        public void LetGo() => _go.SetResult();

        public async ValueTask DisposeAsync()
        {
            await App.DisposeAsync();
            await _hang.DisposeAsync();
            await _good.DisposeAsync();
            _hanging.Dispose();
        }

        private async Task ServeAsync(WireConnection connection, bool hangs)
        {
            for (var i = 1; await connection.ReadAsync(t => t.Split("\r\n\r\n").Length > i); i++)
            {
                if (hangs)
                {
                    _hanging.Release();
                    await connection.WaitAsync(_go.Task);
                }

                await connection.WriteAsync(RawVendor.Ok);
            }
        }
    }
}
