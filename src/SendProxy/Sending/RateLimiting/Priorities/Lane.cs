using SendProxy.Configuration;

namespace SendProxy.Sending.RateLimiting.Priorities;

/// <summary>Who goes first when permits are short. Section <c>lanes.NAME</c>.</summary>
/// <param name="Index">0 goes first.</param>
/// <param name="From">Most urgent of its urgencies; as in RFC 9218, 0 to 7.</param>
/// <param name="To">Least urgent of them.</param>
/// <param name="Share">What is left to it of the permits while lanes before it have someone waiting.</param>
internal sealed record Lane(int Index, string Name, int From, int To, double Share)
{
    /// <summary>Served from the urgent reserve where a limit has one.</summary>
    public bool IsUrgent => From == 0 && To < LaneTable.LeastUrgent;
}

/// <summary>All lanes: each urgency belongs to one.</summary>
internal sealed class LaneTable
{
    public const int LeastUrgent = 7;
    private const int DefaultUrgency = 3;

    public static readonly LaneTable Default = new([new(0, "otp", 0, 2, 0), new(1, "normal", 3, 4, 0), new(2, "bulk", 5, LeastUrgent, 0.2)]);

    private readonly Lane[] _byUrgency = new Lane[LeastUrgent + 1];

    public LaneTable(IReadOnlyList<Lane> lanes)
    {
        All = lanes;
        foreach (var lane in lanes)
        {
            Array.Fill(_byUrgency, lane, lane.From, lane.To - lane.From + 1);
        }
    }

    /// <summary>By urgency, the most urgent first.</summary>
    public IReadOnlyList<Lane> All { get; }

    /// <summary>For requests that say nothing, on routes that say nothing: urgency 3, as in RFC 9218.</summary>
    public Lane Usual => _byUrgency[DefaultUrgency];

    /// <returns>Null where no lane has the name.</returns>
    public Lane? Find(string name) => All.FirstOrDefault(l => l.Name == name);

    public bool SameAs(LaneTable other) => All.SequenceEqual(other.All);

    /// <summary>Reads <c>u=</c> of a Priority header (RFC 9218, section 4.1).</summary>
    /// <returns>The lane for it; <paramref name="fallback"/> where there is none.</returns>
    public Lane FromPriority(string? header, Lane fallback)
    {
        if (string.IsNullOrEmpty(header))
        {
            return fallback;
        }

        foreach (var part in header.AsSpan().Split(','))
        {
            if (header.AsSpan()[part].Trim() is ['u', '=', >= '0' and <= '7' and var digit])
            {
                return _byUrgency[digit - '0'];
            }
        }

        return fallback;
    }

    public static LaneTable Read(SettingsReader root)
    {
        var read = root.Map("lanes", "Who goes first when permits are short; each urgency 0 to 7 belongs to one. None given: otp 0-2, normal 3-4, bulk 5-7 with share: 20%.",
            (name, lane) => ReadLane(name, lane));
        if (read.Count == 0 || root.Describing)
        {
            return Default;
        }

        Lane[] ordered = [.. read.Values.OrderBy(l => l.From).Select((l, i) => l with { Index = i })];
        root.Check(Covers(ordered), "lanes", "must give each urgency from 0 to 7 to one lane: no gap, none twice");
        root.Check(ordered.Sum(l => l.Share) <= 0.5, "lanes", "leave more than half of the permits to shares; together at most 50%");
        return Covers(ordered) ? new LaneTable(ordered) : Default;
    }

    private static Lane ReadLane(string name, SettingsReader lane)
    {
        var urgency = lane.RequiredText("urgency", "Which urgencies of a request's Priority header (RFC 9218): 0 is most urgent.", "0-2");
        var share = lane.Share("share", "0%", "What is left to it of the permits while lanes before it have someone waiting.", max: 0.5);
        var parts = urgency.Split('-');
        var from = parts[0] is [>= '0' and <= '7' and var first] ? first - '0' : -1;
        var to = parts.Length == 1 ? from : parts is [_, [>= '0' and <= '7' and var last]] ? last - '0' : -1;
        lane.Check(urgency.Length == 0 || (from >= 0 && to >= from), "urgency", "is a number from 0 to 7 or two of them: 3-4");
        return new Lane(0, name, Math.Max(0, from), Math.Max(Math.Max(0, from), to), share);
    }

    private static bool Covers(Lane[] ordered) =>
        ordered[0].From == 0 && ordered[^1].To == LeastUrgent && ordered.Zip(ordered.Skip(1)).All(p => p.Second.From == p.First.To + 1);
}
