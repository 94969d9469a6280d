using Prometheus;
using SendProxy.Redis;
using SendProxy.Upstreams.Credentials;
using SendProxy.Workers;
using StackExchange.Redis;

namespace SendProxy.Composition;

/// <summary>
/// Tells the fleet when this process last used each key with success, and learns the same of the others: the answer to "may
/// the old key be revoked?" is the fleet's. Waits for nobody; a Redis that is away is asked again in some seconds.
/// </summary>
internal sealed class CredentialUsageSync(CredentialUsageTracker book, RedisLink link, IMetricFactory metrics, WorkerContext context) : PeriodicWorker("credentials", context)
{
    /// <summary>A key that nobody used for so long is forgotten.</summary>
    public static readonly TimeSpan Forget = TimeSpan.FromDays(30);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly RedisScript Uses = RedisScript.Embedded("key_uses", "Upstreams/Credentials/uses.lua");

    private readonly Counter _rounds = metrics.CreateCounter(
        "sendproxy_credential_fleet_rounds_total", "Exchanges of keys' last uses with the fleet, by whether Redis answered.", ["answered"]);

    /// <summary>One exchange.</summary>
    /// <returns>False where Redis did not answer in time.</returns>
    public async Task<bool> ExchangeAsync()
    {
        var now = Time.GetUtcNow();
        var arguments = new List<RedisValue> { (long)Forget.TotalMilliseconds };
        foreach (var (upstream, fingerprint, at) in book.LastUses())
        {
            arguments.Add($"{upstream}/{fingerprint}");
            arguments.Add((long)Math.Max(0, (now - at).TotalMilliseconds));
        }

        var reply = await link.RunAsync(Uses, $"{link.Options.KeyPrefix}:key-uses", [.. arguments]);
        _rounds.WithLabels(reply.Result is null ? "false" : "true").Inc();
        if (reply.Result is not { } result || (RedisResult[]?)result is not { } pairs)
        {
            return false;
        }

        var uses = new List<(string, string, DateTimeOffset)>();
        for (var i = 0; i + 1 < pairs.Length; i += 2)
        {
            var field = (string?)pairs[i] ?? "";
            var slash = field.IndexOf('/', StringComparison.Ordinal);
            if (slash > 0)
            {
                uses.Add((field[..slash], field[(slash + 1)..], now - TimeSpan.FromMilliseconds((long)pairs[i + 1])));
            }
        }

        book.LearnFleet(uses);
        return true;
    }

    protected override async Task<TimeSpan?> RunRoundAsync(CancellationToken stop)
    {
        await ExchangeAsync();
        return Interval;
    }
}
