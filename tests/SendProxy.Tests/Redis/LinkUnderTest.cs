using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using SendProxy.Redis;
using SendProxy.Secrets;
using SendProxy.Workers;

namespace SendProxy.Tests.Redis;

/// <summary>A link to a Redis under a prefix of its own.</summary>
internal static class LinkUnderTest
{
    // Long: on a busy machine the tests are about what Redis says, not about how soon.
    private static readonly TimeSpan Patient = TimeSpan.FromSeconds(20);

    public static RedisLink Create(
        string address, TimeSpan? callTimeout = null, ISecretSource? password = null, string? prefix = null, SecretPoller? secrets = null, ILogger<RedisLink>? logger = null)
    {
        var metrics = Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry());
        return new RedisLink(
            new RedisOptions
            {
                Connection = address,
                Password = password,
                KeyPrefix = prefix ?? $"test-{Guid.NewGuid():n}",
                CallTimeout = callTimeout ?? Patient,
            },
            secrets ?? Secrets(), new RedisMetrics(metrics), TimeProvider.System, logger ?? NullLogger<RedisLink>.Instance);
    }

    public static SecretPoller Secrets()
    {
        var metrics = Prometheus.Metrics.WithCustomRegistry(Prometheus.Metrics.NewCustomRegistry());
        return new SecretPoller(
            new SecretMetrics(metrics), metrics,
            new WorkerContext(new WorkerMetrics(metrics, TimeProvider.System), TimeProvider.System, NullLoggerFactory.Instance));
    }
}
