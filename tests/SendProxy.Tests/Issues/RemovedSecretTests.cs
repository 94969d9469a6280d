using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Prometheus;
using SendProxy.Secrets;
using SendProxy.Upstreams.Connections;
using SendProxy.Workers;

namespace SendProxy.Tests.Issues;

/// <summary>A secret that the configuration no longer names is no longer looked at, and its series does not claim that it is missing.</summary>
public sealed class RemovedSecretTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sendproxy-removed-").FullName;
    private readonly CollectorRegistry _registry = Prometheus.Metrics.NewCustomRegistry();
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Secret_NoLongerNamed_EndsWithTheReload()
    {
        var (kept, gone) = (Write("kept"), Write("gone"));
        var secrets = new SecretPoller(new SecretMetrics(Factory), Factory, Context());
        secrets.Watch("upstreams.kept.credential", kept, SecretFormat.Any);
        secrets.Watch("upstreams.gone.credential", gone, SecretFormat.Any);

        secrets.Retain([("upstreams.kept.credential", kept, SecretFormat.Any)]);
        File.Delete(gone.Path);
        secrets.PollAll();
        secrets.PollAll();

        Assert.Equal("upstreams.kept.credential", Assert.Single(secrets.All).Name);
        var text = await ExportAsync();
        Assert.Contains("sendproxy_secret_usable{secret=\"upstreams.kept.credential\"} 1", text, StringComparison.Ordinal);
        Assert.DoesNotContain("sendproxy_secret_usable{secret=\"upstreams.gone.credential\"}", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Certificates_NoLongerNamed_AreNoLongerRead()
    {
        var options = new TlsOptions(Write("ca").Path, null, null);
        var certificates = new TlsFilesPoller(Factory, Context());
        var before = certificates.Watch("gone", options);

        certificates.Retain([]);

        Assert.NotSame(before, certificates.Watch("gone", options));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private IMetricFactory Factory => Prometheus.Metrics.WithCustomRegistry(_registry);

    private WorkerContext Context() => new(new WorkerMetrics(Factory, _time), _time, NullLoggerFactory.Instance);

    private SecretFile Write(string name)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, "a secret of some length\n");
        return new SecretFile(path);
    }

    private async Task<string> ExportAsync()
    {
        using var text = new MemoryStream();
        await _registry.CollectAndExportAsTextAsync(text, TestContext.Current.CancellationToken);
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }
}
