using System.Globalization;
using SendProxy.Redis;
using SendProxy.Sending.RateLimiting.Clocks;
using StackExchange.Redis;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>A limit in the fleet's Redis: five keys with one hash tag, one script, its clock.</summary>
internal sealed class RedisRateLimitStore(RedisLink link, string limit, string channel, Action called) : ILimitStore<RateLimitCall, RateLimitReply>
{
    /// <summary>The index of the first slot given back among the script's arguments.</summary>
    public const int FirstReturned = 31;

    private const int FixedFields = 16;

    /// <summary>The script; its arguments and reply are described in it.</summary>
    public static readonly RedisScript Script = RedisScript.Embedded("limit", "Sending/RateLimiting/Rates/acquire.lua");

    // A number that a script can add to its clock.
    private static readonly Microseconds LongestBlock = new(1e15);

    // What the script takes for no 429.
    private static readonly Microseconds NoThrottle = new(-1);

    private readonly RedisKey[] _keys = Keys(link.Options.KeyPrefix, limit);

    public bool IsShared => true;

    public TimeSpan AnswersWithin => link.Options.CallTimeout;

    /// <summary>The keys of a limit, all in one slot of a Cluster.</summary>
    public static RedisKey[] Keys(string prefix, string limit)
    {
        var tag = $"{prefix}:{{limit:{limit}}}:";
        return [tag + "state", tag + "holes", tag + "overdraft", tag + "waiting", tag + "seen"];
    }

    public RateLimitReply? AskNow(RateLimitCall call) => null;

    public async ValueTask<RateLimitReply?> AskAsync(RateLimitCall call)
    {
        called();
        var reply = await link.RunAsync(Script, _keys, Arguments(call, channel));
        return reply.Result is { } result ? Read(result) : null;
    }

    /// <summary>The call as the script's ARGV.</summary>
    public static RedisValue[] Arguments(RateLimitCall call, string channel)
    {
        var plan = call.Parameters;
        RedisValue[] arguments =
        [
            call.Process, call.Want, Flag(call.SomeoneWaits), Flag(call.HasTicket), call.Urgent, Text(call.Debt), call.CorrectionEpoch,
            Text(call.Correction), Text(call.ThrottledFor ?? NoThrottle), Text(plan.Rate), Text(plan.Base), Text(plan.Reserve), Flag(call.WasAway),
            Text(call.SeenNow), Text(call.SeenSince), Text(call.SeenTat), Text(call.SeenBlock), call.KnownLive, Flag(call.Learns),
            Text(call.Patience), Text(plan.WindowLength), Text(plan.WindowPermits), Text(call.Boundary), Text(call.BoundaryWidth),
            Text(Microseconds.Min(call.LongestBlock, LongestBlock)), Flag(call.IsCapped), (int)call.Probe - 1, Flag(call.Unblocks), call.FirstCost, channel,
        ];
        return [.. arguments, .. call.Returned.Select(Text)];
    }

    /// <summary>The script's reply.</summary>
    public static RateLimitReply Read(RedisResult result)
    {
        var fields = (long[])result!;
        var slots = new ReservedSlot[(fields.Length - FixedFields) / 2];
        for (var i = 0; i < slots.Length; i++)
        {
            slots[i] = new ReservedSlot(new(fields[FixedFields + (2 * i)]), new(fields[FixedFields + (2 * i) + 1]));
        }

        // In the order of the script's step 13.
        return new RateLimitReply
        {
            Now = new(fields[0]),
            Tat = new(fields[1]),
            Level = fields[2] / 1000d,
            Allowance = (int)fields[3],
            Quantum = (int)fields[4],
            Epoch = fields[5],
            ComeBack = new(fields[6]),
            Blocked = new(fields[7]),
            Live = (int)fields[8],
            Active = (int)fields[9],
            Held = new(fields[10]),
            Urgent = (int)fields[11],
            Multiplier = fields[12] / 1e6,
            InWindow = fields[13] == 1,
            IsProbing = fields[14] == 1,
            Lifted = new(fields[15]),
            Slots = slots,
        };
    }

    private static int Flag(bool isSet) => isSet ? 1 : 0;

    private static RedisValue Text(Microseconds time) => Text(time.Value);

    private static RedisValue Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
