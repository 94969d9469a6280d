using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using SendProxy.IntegrationTests.Egress;

namespace SendProxy.IntegrationTests.Campaigns;

/// <summary>What a proxy may get wrong.</summary>
public enum Flaw
{
    /// <summary>Each attempt has a key of its own.</summary>
    KeyChangedOnEachAttempt,

    /// <summary>The record is written once the answer is there; nothing is claimed before. The vendor does not deduplicate.</summary>
    RecordWrittenAfterTheAnswer,

    /// <summary>A POST without a key is repeated after a failure.</summary>
    UnkeyedPostRepeated,
}

/// <summary>A proxy with one flaw: what the campaign must catch.</summary>
internal sealed class NaiveProxy : IAsyncDisposable
{
    private const int Attempts = 4;

    // A fault may answer 429 to everybody for 1,200 ms. A proxy that ran through it would meet nothing else in a short run.
    private const int WaitsWhenLimited = 8;
    private static readonly TimeSpan WaitWhenLimited = TimeSpan.FromMilliseconds(200);

    private readonly Flaw _flaw;
    private readonly Uri _vendor;
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, (int Status, byte[] Body)> _records = new(StringComparer.Ordinal);
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(5) };

    private NaiveProxy(Flaw flaw, Uri vendor)
    {
        (_flaw, _vendor) = (flaw, vendor);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(HandleAsync);
    }

    public Uri Address => new(_app.Urls.First());

    public static async Task<NaiveProxy> StartAsync(Flaw flaw, Uri vendor, CancellationToken cancellation)
    {
        var proxy = new NaiveProxy(flaw, vendor);
        await proxy._app.StartAsync(cancellation);
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _client.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var key = context.Request.Headers["Idempotency-Key"].ToString();
        if (_flaw == Flaw.RecordWrittenAfterTheAnswer && _records.TryGetValue(key, out var record))
        {
            await AnswerAsync(context, record.Status, record.Body, "yes");
            return;
        }

        var attempts = _flaw == Flaw.RecordWrittenAfterTheAnswer ? 1 : Attempts;
        for (int attempt = 0, waits = 0; attempt < attempts; attempt++)
        {
            var answer = await AttemptAsync(context, body.ToArray(), key);
            if (answer is null or { Status: >= 500 or 409 or 429 })
            {
                if (answer?.Status == 429 && waits++ < WaitsWhenLimited)
                {
                    await Task.Delay(WaitWhenLimited, TimeProvider.System);
                    attempt--;
                }

                continue;
            }

            _records[key] = answer.Value;
            await AnswerAsync(context, answer.Value.Status, answer.Value.Body, "yes");
            return;
        }

        await AnswerAsync(context, 502, [], "maybe");
    }

    private async Task<(int Status, byte[] Body)?> AttemptAsync(HttpContext context, byte[] body, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_vendor, context.Request.Path.Value)) { Content = new ByteArrayContent(body) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {EgressStage.Key}");
        if (context.Request.Headers["X-Sandbox-Fault"].ToString() is { Length: > 0 } fault)
        {
            request.Headers.TryAddWithoutValidation("X-Sandbox-Fault", fault);
        }

        if (_flaw == Flaw.KeyChangedOnEachAttempt)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", $"{key}-{Guid.NewGuid():n}");
        }

        try
        {
            using var answer = await _client.SendAsync(request);
            return ((int)answer.StatusCode, await answer.Content.ReadAsByteArrayAsync());
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return null;
        }
    }

    private static async Task AnswerAsync(HttpContext context, int status, byte[] body, string sent)
    {
        context.Response.StatusCode = status;
        context.Response.Headers["SendProxy-Sent"] = sent;
        await context.Response.Body.WriteAsync(body);
    }
}
