using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace SendProxy.Upstreams;

/// <summary>A vendor at runtime: its options, its connections and its keys. Replaced when its section changes.</summary>
internal sealed class Upstream : IDisposable
{
    private readonly HttpMessageInvoker _invoker;

    public Upstream(UpstreamOptions options, Credential credential)
    {
        Options = options;
        Credential = credential;
        _invoker = new HttpMessageInvoker(Handler(options), disposeHandler: true);
    }

    public UpstreamOptions Options { get; }

    public Credential Credential { get; }

    public string Name => Options.Name;

    /// <summary>One attempt on the wire. The request's content must not be null: without one the handler repeats by itself.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation) =>
        _invoker.SendAsync(request, cancellation);

    public void Dispose() => _invoker.Dispose();

    private static SocketsHttpHandler Handler(UpstreamOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            ConnectTimeout = options.Timeouts.Connect,
            PooledConnectionLifetime = options.Connections.Lifetime,
            PooledConnectionIdleTimeout = options.Connections.Idle,
            MaxConnectionsPerServer = options.Connections.Max,
            EnableMultipleHttp2Connections = true,
            ConnectCallback = new Connector(options.AllowInsecureLoopback, options.AllowPrivateAddresses).ConnectAsync,
        };
        handler.SslOptions = new SslClientAuthenticationOptions();
        if (options.Tls.CaFile is { } file)
        {
            var policy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck,
            };
            policy.CustomTrustStore.ImportFromPemFile(file);
            handler.SslOptions.CertificateChainPolicy = policy;
        }

        return handler;
    }
}
