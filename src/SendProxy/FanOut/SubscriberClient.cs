using System.Collections.Concurrent;
using System.Net.Sockets;
using SendProxy.Upstreams.Connections;

namespace SendProxy.FanOut;

/// <summary>
/// The connections to all subscribers: one pool for each kind of place (this machine, private networks allowed, public only,
/// each unix socket), so that no subscriber rides on a connection that its own settings would not have opened.
/// </summary>
internal sealed class SubscriberClient : IDisposable
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Place, HttpMessageInvoker> _invokers = new();

    public Task<HttpResponseMessage> SendAsync(SubscriberOptions subscriber, HttpRequestMessage request, CancellationToken cancellation) =>
        _invokers.GetOrAdd(Place.Of(subscriber), Create).SendAsync(request, cancellation);

    /// <summary>Whether a local subscriber takes connections.</summary>
    public static async Task<bool> ProbeAsync(SubscriberOptions subscriber, TimeProvider time, CancellationToken cancellation)
    {
        using var within = new CancellationTokenSource(ProbeTimeout, time);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(within.Token, cancellation);
        try
        {
            if (subscriber.UnixPath is { } path)
            {
                await (await ConnectUnixAsync(path, ended.Token)).DisposeAsync();
                return true;
            }

            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(subscriber.Url.IdnHost, subscriber.Url.Port, ended.Token);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return false;
        }
    }

    public void Dispose()
    {
        foreach (var invoker in _invokers.Values)
        {
            invoker.Dispose();
        }
    }

    private static HttpMessageInvoker Create(Place place)
    {
        var connector = new Connector(allowLoopback: place.Local, allowPrivate: place.Private);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = ConnectTimeout,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            // DNS is asked again by then: a service moves.
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxResponseHeadersLength = 32,
            // As Kestrel read them: what came in goes out.
            RequestHeaderEncodingSelector = (_, _) => System.Text.Encoding.UTF8,
            // The response's body is read and dropped here, within bounds; the handler must not read on.
            MaxResponseDrainSize = 0,
            ConnectCallback = place.UnixPath is { } path
                ? async (_, cancellation) => await ConnectUnixAsync(path, cancellation)
                : connector.ConnectAsync,
        };
        return new HttpMessageInvoker(handler, disposeHandler: true);
    }

    private static async Task<Stream> ConnectUnixAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private readonly record struct Place(string? UnixPath, bool Local, bool Private)
    {
        public static Place Of(SubscriberOptions subscriber) => new(subscriber.UnixPath, subscriber.IsLocal, subscriber.AllowPrivateAddresses);
    }
}
