using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Prometheus;
using SendProxy.Composition;
using SendProxy.Configuration;
using SendProxy.Hosting;
using SendProxy.Tests.Configuration;
using SendProxy.Workers;

namespace SendProxy.Tests.Issues;

// A reload ended the host when the parser or a composer threw, and a file that changed at each look was never applied.
public sealed class ReloadSurvivesTests : IDisposable
{
    private const string Good = "version: 1\n" + SettingsFile.Upstreams + "\n";

    private readonly SettingsFile _file = new();
    private readonly List<ProxySettings> _applied = [];
    private readonly CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();
    private Action _whileApplying = () => { };

    [Fact]
    public async Task Look_TextThatDoesNotParse_KeepsTheOldAndCounts()
    {
        var reload = Started();

        _file.Write(Good + "limits: { plan: { rate: 100/s }\n");
        reload.Look();
        reload.Look();

        Assert.Empty(_applied);
        Assert.Contains("sendproxy_config_reloads_total{outcome=\"refused\"} 1", await ScrapeAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Look_ApplyingThrows_IsCountedAndTheNextChangeIsTaken()
    {
        var reload = Started();
        _whileApplying = () => throw new InvalidOperationException("planted");
        _file.Write(Good + "shutdown: {}\n");
        reload.Look();
        Assert.Throws<InvalidOperationException>(reload.Look);
        Assert.Contains("sendproxy_config_reloads_total{outcome=\"failed\"} 1", await ScrapeAsync(), StringComparison.Ordinal);
        Assert.Contains("sendproxy_config_last_reload_successful 0", await ScrapeAsync(), StringComparison.Ordinal);

        _whileApplying = () => { };
        _file.Write(Good + "guard: {}\n");
        reload.Look();
        reload.Look();

        Assert.Single(_applied);
        Assert.Contains("sendproxy_config_last_reload_successful 1", await ScrapeAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public void Look_FileThatChangesAtEachLook_IsAppliedWithinTheBound()
    {
        var reload = Started();

        for (var i = 0; i < ContentSettling.MaxUnsettledLooks; i++)
        {
            _file.Write(Good + $"limits: {{ plan: {{ rate: {i + 1}/s }} }}\n");
            reload.Look();
        }

        Assert.Equal(ContentSettling.MaxUnsettledLooks, Assert.Single(_applied).Limits["plan"].Rate!.Value.Permits);
    }

    [Fact]
    public void Look_FileThatTheRefusedChangeNames_IsWatchedToo()
    {
        var reload = Started();
        _file.Write("version: 1\nupstreams: { mine: { preset: ./mine.yaml, address: 'https://a.example', credential: { file: key } } }\n");
        reload.Look();
        reload.Look();
        Assert.Empty(_applied);

        _file.Write("preset: 1\nupstream: { credential: { header: X-Key, format: '{secret}' } }\nroutes: [{ name: all, match: { prefix: / } }]\n", "mine.yaml");
        reload.Look();
        reload.Look();

        Assert.Single(_applied);
    }

    [Fact]
    public async Task Run_HostThatStopsUnasked_DoesNotExitZero()
    {
        var path = _file.Write(Good + "listen: { egress: ['127.0.0.1:0'], webhooks: ['127.0.0.1:0'], metrics: ['127.0.0.1:0'] }\n");
        await using var app = ProxyHost.Build(path, ProxySettings.Load(path, _ => null), Stream.Null);
        app.Lifetime.ApplicationStarted.Register(app.Lifetime.StopApplication);

        Assert.Equal(ExitCodes.Defect, await Serving.RunAsync(app));
    }

    public void Dispose() => _file.Dispose();

    private Reload Started()
    {
        var path = _file.Write(Good);
        var (metrics, time) = (Prometheus.Metrics.WithCustomRegistry(_registry), new FakeTimeProvider());
        return new Reload(path, ProxySettings.Load(path, _ => null), next =>
        {
            _whileApplying();
            _applied.Add(next);
        }, () => { }, metrics, new WorkerContext(new WorkerMetrics(metrics, time), time, NullLoggerFactory.Instance));
    }

    private async Task<string> ScrapeAsync()
    {
        using var text = new MemoryStream();
        await _registry.CollectAndExportAsTextAsync(text, TestContext.Current.CancellationToken);
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }
}
