using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using SendProxy.Composition;
using SendProxy.Egress;
using SendProxy.Sending;
using SendProxy.Telemetry;

namespace SendProxy.Tests.Egress;

/// <summary>What an application is told when this program itself is wrong.</summary>
public sealed class DefectTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sendproxy-defect-").FullName;

    [Fact]
    public async Task Send_DefectInside_AnswersInternalAndLogsWhy()
    {
        File.WriteAllText(Path.Combine(_folder, "key"), "sk_live_defect0123456789");
        var path = Path.Combine(_folder, "proxy.yaml");
        File.WriteAllText(path, """
            version: 1
            upstreams: { sendapi: { preset: sendapi, address: "https://127.0.0.1:9", allowInsecureLoopback: true, credential: { file: key } } }
            """);
        using var output = new MemoryStream();
        await using var app = ProxyHost.Build(path, ProxySettings.Load(path, _ => null), output);
        var handler = ActivatorUtilities.CreateInstance<EgressHandler>(app.Services, new BrokenSender());
        var context = Request();

        await handler.HandleAsync(context);
        await app.Services.GetRequiredService<LogSink>().DisposeAsync();

        Assert.Equal(422, context.Response.StatusCode);
        var problem = JsonDocument.Parse(((MemoryStream)context.Response.Body).ToArray()).RootElement;
        Assert.Equal(("internal", "maybe"), (problem.GetProperty("code").GetString(), problem.GetProperty("sent").GetString()));
        Assert.Equal("maybe", context.Response.Headers["SendProxy-Sent"]);
        Assert.DoesNotContain("torn", problem.GetRawText(), StringComparison.Ordinal);
        var lines = Encoding.UTF8.GetString(output.ToArray()).Split('\n').Where(l => l.Contains("InvalidTimeZoneException: torn", StringComparison.Ordinal));
        Assert.Contains(problem.GetProperty("instance").GetString()!["urn:uuid:".Length..], Assert.Single(lines), StringComparison.Ordinal);
        Assert.Contains("sendproxy_requests_total{route=\"sms\",status_class=\"4xx\",code=\"internal\"} 1", await Metrics(app.Services), StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static DefaultHttpContext Request()
    {
        var context = new DefaultHttpContext();
        context.Request.Method = "POST";
        context.Request.Protocol = "HTTP/1.1";
        context.Request.Host = new HostString("localhost");
        context.Request.ContentType = "application/json";
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = "/v1/sms/send";
        var body = """{"to":"+491701234567","from":"Shop","text":"Hello"}"""u8.ToArray();
        (context.Request.Body, context.Request.ContentLength) = (new MemoryStream(body), body.Length);
        context.Response.Body = new MemoryStream();
        return context;
    }

    private static async Task<string> Metrics(IServiceProvider services)
    {
        using var text = new MemoryStream();
        await services.GetRequiredService<Prometheus.CollectorRegistry>().CollectAndExportAsTextAsync(text, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(text.ToArray());
    }

    private sealed class BrokenSender : ISender
    {
        // A type that nothing on the way expects.
        public Task<SendOutcome> SendAsync(OutboundMessage message, CancellationToken caller) => throw new InvalidTimeZoneException("torn");
    }
}
