using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace SendProxy.IntegrationTests;

/// <summary>A request as it arrived.</summary>
internal sealed record Received(string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Header(string name) => Headers.GetValueOrDefault(name, "");
}

/// <summary>Kestrel as the other end: records every request, then answers as the test says.</summary>
internal sealed class Destination : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<Received> _received = [];
    private readonly Func<Received, HttpContext, Task> _answer;
    private readonly Lock _lock = new();
    private TaskCompletionSource _grown = NewSignal();

    private Destination(WebApplication app, Func<Received, HttpContext, Task> answer)
    {
        _app = app;
        _answer = answer;
        app.Run(HandleAsync);
    }

    public IReadOnlyList<Received> Requests => [.. _received];

    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>A free port for a destination that is to start later. Somebody else could take it meanwhile; nobody does.</summary>
    public static int ReservePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <param name="port">0: any.</param>
    /// <param name="answer">Default: 200.</param>
    public static Task<Destination> StartAsync(CancellationToken cancellation, int port = 0, Func<Received, HttpContext, Task>? answer = null) =>
        StartAsync(k => k.Listen(IPAddress.Loopback, port), answer, cancellation);

    /// <param name="certificate">The server's, with its key.</param>
    /// <param name="https">More of TLS: whether a client certificate is asked for.</param>
    public static Task<Destination> StartTlsAsync(
        X509Certificate2 certificate, CancellationToken cancellation, Action<HttpsConnectionAdapterOptions>? https = null, Func<Received, HttpContext, Task>? answer = null) =>
        StartAsync(k => k.Listen(IPAddress.Loopback, 0, l => l.UseHttps(certificate, https ?? (_ => { }))), answer, cancellation);

    public static Task<Destination> StartUnixAsync(string path, CancellationToken cancellation, Func<Received, HttpContext, Task>? answer = null) =>
        StartAsync(k => k.ListenUnixSocket(path), answer, cancellation);

    /// <summary>Waits until so many requests have arrived.</summary>
    public Task<IReadOnlyList<Received>> WaitForAsync(int count, CancellationToken cancellation) => WaitForAsync(r => r.Count >= count, cancellation);

    /// <summary>Waits until what has arrived is enough.</summary>
    public async Task<IReadOnlyList<Received>> WaitForAsync(Func<IReadOnlyCollection<Received>, bool> enough, CancellationToken cancellation)
    {
        while (true)
        {
            Task grown;
            lock (_lock)
            {
                grown = _grown.Task;
            }

            if (enough(_received))
            {
                return Requests;
            }

            await grown.WaitAsync(ProxyProcess.Guard, cancellation);
        }
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static async Task<Destination> StartAsync(
        Action<KestrelServerOptions> listen, Func<Received, HttpContext, Task>? answer, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(listen);
        var destination = new Destination(builder.Build(), answer ?? ((_, _) => Task.CompletedTask));
        await destination._app.StartAsync(cancellation);
        return destination;
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var received = new Received(
            context.Request.Method, context.Request.Path + context.Request.QueryString,
            context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase), body.ToArray());
        _received.Enqueue(received);
        TaskCompletionSource grown;
        lock (_lock)
        {
            (grown, _grown) = (_grown, NewSignal());
        }

        grown.SetResult();
        await _answer(received, context);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
