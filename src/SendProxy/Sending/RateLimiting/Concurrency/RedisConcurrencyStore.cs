using SendProxy.Redis;
using StackExchange.Redis;

namespace SendProxy.Sending.RateLimiting.Concurrency;

/// <summary>Slots of a limit in the fleet's Redis: four keys with one hash tag, one script, its clock.</summary>
/// <param name="process">Unique in the fleet, and among the limiters of one process.</param>
internal sealed class RedisConcurrencyStore(RedisLink link, LimitOptions options, string process, string channel, Action called) : ILimitStore<ConcurrencyCall, ConcurrencyReply>
{
    /// <summary>A process that made no call for this long has lost its slots.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(6);

    // A number that a script can add to its clock.
    private const long LongestBlockMs = 1_000_000_000_000;

    // What the script takes for no 429.
    private const long NoThrottle = -1;

    // Longer than the time between two calls of a healthy process: by then all have reported what they hold.
    private static readonly TimeSpan Hold = TimeSpan.FromSeconds(3);

    /// <summary>The script; its arguments and reply are described in it.</summary>
    public static readonly RedisScript Script = RedisScript.Embedded("slots", "Sending/RateLimiting/Concurrency/lease.lua");

    private readonly RedisKey[] _keys = Keys(link.Options.KeyPrefix, options.Name);

    public bool IsShared => true;

    public TimeSpan AnswersWithin => link.Options.CallTimeout;

    /// <summary>The keys of a limit, all in one slot of a Cluster.</summary>
    public static RedisKey[] Keys(string prefix, string limit)
    {
        var tag = $"{prefix}:{{limit:{limit}}}:slots:";
        return [tag + "state", tag + "seen", tag + "held", tag + "short"];
    }

    public ConcurrencyReply? AskNow(ConcurrencyCall call) => null;

    public async ValueTask<ConcurrencyReply?> AskAsync(ConcurrencyCall call)
    {
        called();
        var reply = await link.RunAsync(Script, _keys,
        [
            process, call.Kept, call.Wanted, call.IsShort ? 1 : 0, options.Concurrent, (long)Lease.TotalMilliseconds, WholeMilliseconds(call.Throttled) ?? NoThrottle, options.Learn == FeedbackMode.Tighten ? 1 : 0,
            call.Seen, call.KnownLive, call.WasAway ? 1 : 0, channel, call.Leaves ? 1 : 0, (long)Hold.TotalMilliseconds,
            Math.Min(WholeMilliseconds(call.LongestBlock) ?? LongestBlockMs, LongestBlockMs), call.IsCapped ? 1 : 0, call.ProbeAnswered ? 1 : 0, call.Unblocks ? 1 : 0,
        ]);
        return reply.Result is { } result ? Read(result) : null;
    }

    private static long? WholeMilliseconds(TimeSpan? time) => time is { } known ? (long)Math.Ceiling(known.TotalMilliseconds) : null;

    private static ConcurrencyReply Read(RedisResult result)
    {
        var f = (long[])result!;
        return new ConcurrencyReply((int)f[0], (int)f[1], (int)f[2], (int)f[3], (int)f[4], (int)f[5], TimeSpan.FromMilliseconds(f[6]), TimeSpan.FromMilliseconds(f[7]), f[8], (int)f[9], f[10] > 0, f[11]);
    }
}
