using SendProxy.Redis;
using StackExchange.Redis;

namespace SendProxy.Sending.RateLimiting.Quotas;

/// <summary>What one process tells and asks of a quota.</summary>
/// <param name="Debt">Permits used already.</param>
/// <param name="Kept">Leased permits that it may use while the call runs.</param>
/// <param name="Want">Permits wanted now; 0 in calls that tell.</param>
/// <param name="Number">Of a call that tells; 0 in calls that want.</param>
/// <param name="Period">In which it counts.</param>
/// <param name="Now">By the fleet's clock.</param>
internal sealed record QuotaCall(CalendarPeriod Period, DateTimeOffset Now, double Debt, long Kept, int Want, long SeenUsed, long Seen, long Number);

/// <param name="Leased">May be used before it is told.</param>
/// <param name="NowMs">The store's clock, of which the periods are.</param>
/// <param name="Alerts">Bits of the alerts that this process is to tell.</param>
internal sealed record QuotaReply(long Used, int Granted, long Leased, int Live, long NowMs, long Number, int Alerts);

/// <summary>A quota in the fleet's Redis: for each period three keys with one hash tag, one script, its clock.</summary>
/// <param name="process">Unique in the fleet, and among the limiters of one process.</param>
internal sealed class RedisQuotaStore(RedisLink link, string name, string process, QuotaOptions quota, Action called) : ILimitStore<QuotaCall, QuotaReply>
{
    /// <summary>The script; its arguments and reply are described in it.</summary>
    public static readonly RedisScript Script = RedisScript.Embedded("quota", "Sending/RateLimiting/Quotas/use.lua");

    private static readonly TimeSpan KeptAfter = TimeSpan.FromHours(1);

    /// <summary>The keys of one period of a limit, all in one slot of a Cluster.</summary>
    public static RedisKey[] Keys(string prefix, string limit, long period)
    {
        var tag = $"{prefix}:{{limit:{limit}}}:quota:{period}:";
        return [tag + "state", tag + "held", tag + "seen"];
    }

    public bool IsShared => true;

    public TimeSpan AnswersWithin => link.Options.CallTimeout;

    public QuotaReply? AskNow(QuotaCall call) => null;

    public async ValueTask<QuotaReply?> AskAsync(QuotaCall call)
    {
        called();
        RedisValue[] arguments =
        [
            process, call.Debt, call.Kept, call.Want, quota.Permits, (long)(call.Period.End - call.Now + KeptAfter).TotalMilliseconds, call.SeenUsed, call.Seen,
            call.Number, .. quota.AlertAt.Select(a => (RedisValue)(long)Math.Ceiling(a * quota.Permits)),
        ];
        var reply = await link.RunAsync(Script, Keys(link.Options.KeyPrefix, name, call.Period.Start.ToUnixTimeSeconds()), arguments);
        if (reply.Result is not { } result)
        {
            return null;
        }

        var f = (long[])result!;
        return new QuotaReply(f[0], (int)f[1], f[2], (int)f[3], f[4], f[5], (int)f[6]);
    }
}
