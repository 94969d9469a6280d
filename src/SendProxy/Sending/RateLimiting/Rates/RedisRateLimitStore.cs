using System.Globalization;
using SendProxy.Redis;
using StackExchange.Redis;

namespace SendProxy.Sending.RateLimiting.Rates;

/// <summary>A limit in the fleet's Redis: five keys with one hash tag, one script, its clock.</summary>
internal sealed class RedisRateLimitStore(RedisLink link, string limit, string channel, Action called) : IRateLimitStore
{
    /// <summary>The index of the first slot given back among the script's arguments.</summary>
    public const int FirstReturned = 29;

    private const int Fixed = 14;

    /// <summary>The script; its arguments and reply are described in it.</summary>
    public static readonly RedisScript Script = RedisScript.Embedded("limit", "Sending/RateLimiting/Rates/acquire.lua");

    private readonly RedisKey[] _keys = Keys(link.Options.KeyPrefix, limit);

    public bool IsShared => true;

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
        var shape = call.Shape;
        RedisValue[] arguments =
        [
            call.Process, call.Want, call.SomeoneWaits ? 1 : 0, call.HasTicket ? 1 : 0, call.Urgent, Text(call.Debt), call.CorrectionEpoch,
            Text(call.Correction), Text(call.Throttled), Text(shape.Rate), Text(shape.Base), Text(shape.Reserve), Text(RateLimitConstants.Horizon),
            Text(RateLimitConstants.Quantum), Text(RateLimitConstants.Hold), call.WasAway ? 1 : 0, Text(call.SeenNow), Text(call.SeenSince), Text(call.SeenTat),
            Text(call.SeenBlock), call.KnownLive, channel, call.Learns ? 1 : 0, Text(call.Patience), Text(shape.WindowLength),
            Text(shape.WindowPermits), Text(call.Edge), Text(call.EdgeWidth),
        ];
        return [.. arguments, .. call.Returned.Select(Text)];
    }

    /// <summary>The script's reply.</summary>
    public static RateLimitReply Read(RedisResult result)
    {
        var fields = (long[])result!;
        var slots = new ReservedSlot[(fields.Length - Fixed) / 2];
        for (var i = 0; i < slots.Length; i++)
        {
            slots[i] = new ReservedSlot(fields[Fixed + (2 * i)], fields[Fixed + (2 * i) + 1]);
        }

        return new RateLimitReply(
            fields[0], fields[1], fields[2] / 1000d, (int)fields[3], (int)fields[4], fields[5], fields[6], fields[7], (int)fields[8], (int)fields[9],
            fields[10], (int)fields[11], fields[12] / 1e6, slots)
        {
            InWindow = fields[13] == 1,
        };
    }

    private static RedisValue Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
