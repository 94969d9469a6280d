using System.Globalization;
using SendProxy.Redis;

namespace SendProxy.Sending.RateLimiting.Stores;

/// <param name="Used">Of the period, by all.</param>
/// <param name="Given">All that were wanted, or 0.</param>
/// <param name="Live">Processes that share it.</param>
internal readonly record struct QuotaReply(long Used, long Given, int Live);

/// <summary>A quota's count in the fleet's Redis: one key for each period, gone a while after its end.</summary>
internal sealed class RedisQuotaStore(RedisLink link, string name, string process, long quota, Action called)
{
    private static readonly RedisScript Script = RedisScript.Embedded("quota", "Sending/RateLimiting/Stores/quota.lua");

    /// <param name="debt">Permits used already; negative: given back.</param>
    /// <returns>Null where Redis did not answer in time.</returns>
    public async ValueTask<QuotaReply?> AskAsync(DateTimeOffset period, TimeSpan keep, long debt, long want)
    {
        called();
        var tag = $"{link.Options.KeyPrefix}:{{limit:{name}}}:quota:";
        var reply = await link.RunAsync(Script, [tag + period.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), tag + "seen"],
            [process, debt, want, quota, (long)Math.Ceiling(keep.TotalSeconds)]);
        return reply.Result is { } result && (long[])result! is { } f ? new QuotaReply(f[0], f[1], (int)f[2]) : null;
    }
}
