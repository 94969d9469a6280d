using System.Net;
using SendProxy.Upstreams.Connections;
using SendProxy.Upstreams.Credentials;

namespace SendProxy.Upstreams;

/// <summary>A vendor at runtime: its options, its connections and its keys. Replaced when its section changes.</summary>
internal sealed class Upstream : IDisposable
{
    private static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly HttpMessageInvoker _invoker;

    // Most requests of a process have one target; to read it into a Uri costs as much as to send a header.
    private (string Target, Uri Uri)[] _last = [];

    public Upstream(UpstreamOptions options, Credential credential, TlsFiles tls, Bulkhead bulkhead, ConnectionCount connections)
    {
        Options = options;
        Credential = credential;
        Bulkhead = bulkhead;
        Connections = connections;
        _invoker = new HttpMessageInvoker(Handler(options, tls, connections), disposeHandler: true);
    }

    public UpstreamOptions Options { get; }

    public Credential Credential { get; }

    /// <summary>Bounds the requests that are at this upstream at once.</summary>
    public Bulkhead Bulkhead { get; }

    public ConnectionCount Connections { get; }

    public string Name => Options.Name;

    /// <param name="target">Path and query, which go out as they are: what Uri would respell is another target to a route or to a signature.</param>
    public Uri UriOf(string target)
    {
        var last = _last;
        if (last.Length > 0 && last[0].Target == target)
        {
            return last[0].Uri;
        }

        var uri = new Uri(Options.Address.GetLeftPart(UriPartial.Authority) + target, AsWritten);
        _last = [(target, uri)];
        return uri;
    }

    /// <summary>One attempt on the wire. The request's content must not be null: without one the handler repeats by itself.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation) =>
        _invoker.SendAsync(request, cancellation);

    public void Dispose() => _invoker.Dispose();

    // The one place that the handler comes by before it writes a head, once for each header.
    // Values are one char a byte from the caller on.
    private static System.Text.Encoding? BeforeHeader(string header, HttpRequestMessage request)
    {
        (request.Content as OnceContent)?.BeforeHeader();
        return System.Text.Encoding.Latin1;
    }

    private static SocketsHttpHandler Handler(UpstreamOptions options, TlsFiles tls, ConnectionCount connections)
    {
        // The configured proxy may be anywhere; what is behind it is the vendor by its certificate.
        var proxied = options.Connections.Proxy is not null;
        return new SocketsHttpHandler
        {
            UseProxy = proxied,
            Proxy = proxied ? new WebProxy(options.Connections.Proxy) : null,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            MaxResponseHeadersLength = (int)(options.Responses.MaxHeadSize / 1024),
            ConnectTimeout = options.Timeouts.Connect,
            PooledConnectionLifetime = options.Connections.Lifetime,
            PooledConnectionIdleTimeout = options.Connections.Idle,
            MaxConnectionsPerServer = options.Connections.Max,
            EnableMultipleHttp2Connections = true,
            ConnectCallback = new Connector(proxied || options.AllowInsecureLoopback, proxied || options.AllowPrivateAddresses, count: connections).ConnectAsync,
            SslOptions = tls.Connection(),
            RequestHeaderEncodingSelector = BeforeHeader,
        };
    }
}
