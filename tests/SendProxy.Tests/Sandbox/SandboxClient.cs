using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using SendProxy.Sandbox.Server;

namespace SendProxy.Tests.Sandbox;

/// <summary>A sandbox of its own and a client that has its key.</summary>
internal sealed class SandboxClient : IAsyncDisposable
{
    public const string Sms = "/v1/sms/send";
    public const string Key = "sk_test_sandbox";

    private SandboxClient(SandboxServer server)
    {
        Server = server;
        Http = new HttpClient { BaseAddress = server.HttpAddress };
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
    }

    public SandboxServer Server { get; }

    public HttpClient Http { get; }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<SandboxClient> StartAsync(SandboxOptions? options = null, TimeProvider? time = null) =>
        new(await SandboxServer.StartAsync(options ?? new SandboxOptions(), time, Token));

    /// <summary>An SMS that is valid.</summary>
    public static string SmsBody(string to = "+491701234567", string text = "Hello", string intent = "one") =>
        $$"""{"to":"{{to}}","from":"Shop","text":"{{text}}","metadata":{"intent":"{{intent}}"} }""";

    public Task<HttpResponseMessage> SendAsync(
        string? body = null, string? key = null, string? fault = null, string path = Sms)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body ?? SmsBody(), Encoding.UTF8, "application/json"),
        };
        if (key is not null) { request.Headers.TryAddWithoutValidation("Idempotency-Key", key); }
        if (fault is not null) { request.Headers.Add("X-Sandbox-Fault", fault); }
        return Http.SendAsync(request, Token);
    }

    public async Task<int> StatusAsync(
        string? body = null, string? key = null, string? fault = null, string path = Sms)
    {
        using var response = await SendAsync(body, key, fault, path);
        return (int)response.StatusCode;
    }

    public async Task<HttpResponseMessage> ControlAsync(HttpMethod method, string path, string? json = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (json is not null) { request.Content = new StringContent(json, Encoding.UTF8, "application/json"); }
        return await Http.SendAsync(request, Token);
    }

    public async Task<JsonElement> GetAsync(string path) =>
        JsonSerializer.Deserialize<JsonElement>(await Http.GetByteArrayAsync(new Uri(path, UriKind.Relative), Token));

    public static async Task<JsonElement> JsonAsync(HttpResponseMessage response) =>
        JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsByteArrayAsync(Token));

    public static async Task<string?> CodeAsync(HttpResponseMessage response) =>
        (await JsonAsync(response)).GetProperty("error").GetProperty("code").GetString();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
    }
}
