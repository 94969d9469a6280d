using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using InProcess;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;
using StackExchange.Redis;

// An application that does by itself what SendProxy does: HttpClient, Polly and a limit in Redis. It takes its work by HTTP, so that the
// same load drives it; that part of its cost an application with a proxy beside it has too.
// Usage: inprocess PORT http(s)://UPSTREAM KEY CA_FILE REDIS_PORT
var (port, upstream, key, ca) = (int.Parse(args[0], provider: null), new Uri(args[1]), args[2], X509CertificateLoader.LoadCertificateFromFile(args[3]));
using var redis = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{args[4]},abortConnect=false");
var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
await using var app = builder.Build();
using var client = new HttpClient(new SocketsHttpHandler
{
    UseProxy = false,
    UseCookies = false,
    AllowAutoRedirect = false,
    PooledConnectionLifetime = TimeSpan.FromMinutes(5),
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
})
{
    Timeout = Timeout.InfiniteTimeSpan,
};
client.DefaultRequestHeaders.Authorization = new("Bearer", key);
var pipeline = new ResiliencePipelineBuilder<HttpResponseMessage>()
    .AddTimeout(TimeSpan.FromSeconds(30))
    .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
    {
        MaxRetryAttempts = 3,
        BackoffType = DelayBackoffType.Exponential,
        UseJitter = true,
        Delay = TimeSpan.FromMilliseconds(200),
        ShouldHandle = outcome => ValueTask.FromResult(
            outcome.Outcome.Exception is HttpRequestException or TimeoutRejectedException || outcome.Outcome.Result?.StatusCode is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError),
    })
    .AddCircuitBreaker(new CircuitBreakerStrategyOptions<HttpResponseMessage>
    {
        ShouldHandle = outcome => ValueTask.FromResult(outcome.Outcome.Exception is HttpRequestException || outcome.Outcome.Result?.StatusCode >= HttpStatusCode.InternalServerError),
    })
    .AddTimeout(TimeSpan.FromSeconds(10))
    .Build();
var sender = new Sender(client, pipeline, new RedisLimit(redis.GetDatabase(), "limit:{plan}", 100_000), upstream);
app.Run(sender.HandleAsync);
await app.RunAsync();
