using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace SendProxy.Sandbox.Demo;

/// <summary>An event as the application got it.</summary>
internal sealed record WebhookItemBuilder(string Id, string Type, string? MessageId, bool IsSigned, string Text);

/// <summary>A small application that receives events, as a user's would: it checks one signature form, whatever the vendor's is.</summary>
internal sealed class DemoApplication : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _secret;
    private readonly ConcurrentQueue<WebhookItemBuilder> _events = [];
    private readonly SemaphoreSlim _arrived = new(0);

    private DemoApplication(WebApplication app, string secret)
    {
        _app = app;
        _secret = secret;
    }

    public IReadOnlyList<WebhookItemBuilder> Events => [.. _events];

    public Uri Address => new(new Uri(_app.Urls.First()), "/webhooks");

    public static async Task<DemoApplication> StartAsync(string secret, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var application = new DemoApplication(app, secret);
        app.Run(application.ReceiveAsync);
        await app.StartAsync(cancellation);
        return application;
    }

    /// <summary>Waits until so many different events are here.</summary>
    public async Task ReachAsync(int count, CancellationToken cancellation)
    {
        while (_events.DistinctBy(e => e.Id).Count() < count)
        {
            await _arrived.WaitAsync(cancellation);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _arrived.Dispose();
    }

    private async Task ReceiveAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var text = await reader.ReadToEndAsync(context.RequestAborted);
        var headers = context.Request.Headers;
        var (id, timestamp) = (headers["webhook-id"].ToString(), headers["webhook-timestamp"].ToString());
        var key = Convert.FromBase64String(_secret["whsec_".Length..]);
        var expected = "v1," + Convert.ToBase64String(
            HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}.{text}"))));
        using var json = JsonDocument.Parse(text);
        var root = json.RootElement;
        var message = root.TryGetProperty("data", out var data) && data.TryGetProperty("message_id", out var messageId) ? messageId.GetString() : null;
        _events.Enqueue(new WebhookItemBuilder(
            id, root.GetProperty("type").GetString() ?? "", message, headers["webhook-signature"].ToString().Split(' ').Contains(expected),
            string.Join('\n', headers.Select(h => $"{h.Key}: {h.Value}")) + text));
        _arrived.Release();
    }
}
