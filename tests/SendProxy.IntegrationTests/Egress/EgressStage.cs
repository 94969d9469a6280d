using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using SendProxy.Sandbox.Server;

namespace SendProxy.IntegrationTests.Egress;

/// <summary>The real proxy before a simulated vendor, and an application's client.</summary>
internal sealed class EgressStage : IAsyncDisposable
{
    public const string Key = "sk_live_stage0123456789abc";
    public const string Sms = """{"to":"+491701234567","from":"Shop","text":"Hello"}""";

    private EgressStage(SandboxServer vendor, ProxyFolder folder, ProxyProcess proxy)
    {
        (Vendor, Folder, Proxy) = (vendor, folder, proxy);
        Client = new HttpClient { BaseAddress = proxy.Address("egress") };
    }

    public SandboxServer Vendor { get; }

    public ProxyFolder Folder { get; }

    public ProxyProcess Proxy { get; }

    public HttpClient Client { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <param name="upstream">More settings of the upstream: <c>retry: { attempts: 2 }</c>.</param>
    /// <param name="more">More sections, each on a line of its own.</param>
    /// <param name="key">What stands in the key's file; null for no file.</param>
    /// <param name="credential">Where the key is.</param>
    /// <param name="listen">More settings of the listeners.</param>
    /// <param name="address">Another vendor in place of the simulated one.</param>
    public static async Task<EgressStage> SetAsync(
        string upstream = "retry: { baseDelay: 5ms }", string more = "", string? key = Key, string credential = "file: key",
        SandboxOptions? vendor = null, Action<ProxyFolder>? prepare = null, string listen = "", Uri? address = null)
    {
        var server = await SandboxServer.StartAsync(vendor ?? new SandboxOptions { Keys = [Key] }, TimeProvider.System, Token);
        var folder = new ProxyFolder().Configure(Config(address ?? server.HttpAddress!, upstream, more, credential, listen));
        if (key is not null)
        {
            folder.Write("key", key + "\n");
        }

        prepare?.Invoke(folder);
        return new EgressStage(server, folder, await ProxyProcess.StartAsync(folder, Token));
    }

    public static string Config(Uri vendor, string upstream = "", string more = "", string credential = "file: key", string listen = "") => $$"""
        version: 1
        listen: { egress: ["127.0.0.1:0"], webhooks: ["127.0.0.1:0"], metrics: ["127.0.0.1:0"], {{listen}} }
        shutdown: { drain: 2s }
        upstreams:
          sendapi: { preset: sendapi, address: "{{vendor.GetLeftPart(UriPartial.Authority)}}", allowInsecureLoopback: true, credential: { {{credential}} }, {{upstream}} }
        {{more}}

        """;

    public Task<HttpResponseMessage> SendAsync(string body = Sms, string channel = "sms", params (string Name, string Value)[] headers) =>
        RequestAsync(HttpMethod.Post, $"/v1/{channel}/send", body, headers);

    public async Task<HttpResponseMessage> RequestAsync(HttpMethod method, string path, string? body, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Client.SendAsync(request, Token);
    }

    public Task<string> MetricsAsync() => new HttpClient().GetStringAsync(new Uri(Proxy.Address("metrics"), "/metrics"), Token);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Proxy.DisposeAsync();
        await Vendor.DisposeAsync();
        Folder.Dispose();
    }
}

/// <summary>What tests ask an answer.</summary>
internal static class AnswerExtensions
{
    public static string Header(this HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : "";

    /// <summary>Asserts a problem of the proxy's own, with this code and this statement of what was sent.</summary>
    public static async Task<JsonElement> AssertProblemAsync(this HttpResponseMessage answer, HttpStatusCode status, string code, string sent)
    {
        Assert.Equal((status, code, sent), (answer.StatusCode, answer.Header("SendProxy-Error"), answer.Header("SendProxy-Sent")));
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal((code, sent, $"urn:sendproxy:error:{code}"), (
            problem.GetProperty("code").GetString(), problem.GetProperty("sent").GetString(), problem.GetProperty("type").GetString()));
        Assert.Equal($"urn:uuid:{answer.Header("SendProxy-Request-Id")}", problem.GetProperty("instance").GetString());
        return problem;
    }
}
