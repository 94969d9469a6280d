using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Yarp.ReverseProxy.Forwarder;

// YARP's forwarder and nothing else: the key, an idempotency key, counts. What SendProxy costs more than this is its own.
// Usage: bareyarp PORT http(s)://UPSTREAM KEY CA_FILE
var (port, upstream, key, ca) = (int.Parse(args[0], provider: null), args[1], $"Bearer {args[2]}", X509CertificateLoader.LoadCertificateFromFile(args[3]));
var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
builder.Services.AddRoutingCore().AddHttpForwarder();
await using var app = builder.Build();
using var client = new HttpMessageInvoker(new SocketsHttpHandler
{
    UseProxy = false,
    AllowAutoRedirect = false,
    UseCookies = false,
    AutomaticDecompression = DecompressionMethods.None,
    ActivityHeadersPropagator = null,
    SslOptions = new SslClientAuthenticationOptions
    {
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { ca },
            RevocationMode = X509RevocationMode.NoCheck,
        },
    },
});
var forwarder = app.Services.GetRequiredService<IHttpForwarder>();
var keys = new KeyTransformer(key);
var count = 0L;
app.Run(async context =>
{
    Interlocked.Increment(ref count);
    await forwarder.SendAsync(context, upstream, client, ForwarderRequestConfig.Empty, keys);
});
await app.RunAsync();

internal sealed class KeyTransformer(string key) : HttpTransformer
{
    public override async ValueTask TransformRequestAsync(HttpContext context, HttpRequestMessage request, string destination, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(context, request, destination, cancellationToken);
        request.Headers.TryAddWithoutValidation("Authorization", key);
        request.Headers.TryAddWithoutValidation("Idempotency-Key", Guid.NewGuid().ToString());
        request.Headers.Host = null;
    }
}
