using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Clocks;
using SendProxy.Sending.RateLimiting.Rates;

namespace SendProxy.Tests.Sending.Limits;

/// <summary>Random calls of some processes to one limit, with a clock that stands, runs and jumps.</summary>
internal sealed class TwinSequence(Random random, LimitParameters shape)
{
    private const int Processes = 6;

    // Half of the sequences are calm: else what is known of the vendor's windows would hardly ever be in force.
    private readonly bool _isCalm = random.Next(2) == 0;
    private readonly double _phase = random.Next(60_000_000);
    private readonly Dictionary<string, (RateLimitReply Reply, double At)> _heard = [];
    private readonly Dictionary<string, List<Microseconds>> _slots = [];
    private double _clock = 1_764_000_000_000_000 + random.Next(1_000_000);
    private double _jump;

    public (double Clock, RateLimitCall Call) Next()
    {
        _clock += random.Next(10) switch
        {
            < 4 => random.Next(2_000),
            < 8 => random.Next(40_000),
            8 => random.Next(600_000),
            _ => random.Next(5_000_000),
        };
        if (Rarely(60))
        {
            _jump += random.Next(-6_000_000, 6_000_000);
        }

        var process = $"p{random.Next(Processes)}";
        var heard = _heard.TryGetValue(process, out var last) && random.Next(20) > 0 ? last : default;
        var slots = _slots.GetValueOrDefault(process, []);
        var returned = slots.Take(random.Next(3) == 0 ? random.Next(slots.Count + 1) : 0).ToArray();
        slots.RemoveAll(returned.Contains);
        var throttled = Rarely(40);
        var since = heard.Reply is null ? 0 : Math.Max(0, _clock - heard.At - random.Next(5_000));
        return (_clock + _jump, new RateLimitCall
        {
            Process = process,
            Parameters = Rarely(25) ? OtherForm : random.Next(10) == 0 ? shape with { Rate = shape.Rate * 0.8, WindowPermits = shape.WindowPermits * 0.8 } : shape,
            Want = random.Next(3) == 0 ? random.Next(30) : 0,
            SomeoneWaits = random.Next(2) == 0,
            Patience = new(random.Next(3) * 2_000_000),
            HasTicket = random.Next(4) == 0,
            Urgent = random.Next(4) == 0 ? random.Next(4) : 0,
            Debt = random.Next(3) == 0 ? random.Next(-2, 12) : 0,
            Correction = random.Next(12) == 0 ? random.Next(-15, 16) + 0.5 : 0,
            CorrectionEpoch = heard.Reply?.Epoch ?? 0,
            ThrottledFor = throttled ? new(random.Next(3) * 700_000) : null,
            WasAway = Rarely(50),
            SeenNow = heard.Reply?.Now ?? Microseconds.Zero,
            SeenSince = new(since),
            SeenTat = heard.Reply?.Tat ?? Microseconds.Zero,
            SeenBlock = heard.Reply is { } blocked && blocked.Blocked > Microseconds.Zero ? blocked.Now + blocked.Blocked : Microseconds.Zero,
            KnownLive = random.Next(10) == 0 ? random.Next(12) : 0,
            Learns = random.Next(5) > 0,
            FirstCost = random.Next(3) == 0 ? random.Next(4) : 1,
            IsCapped = throttled && random.Next(3) == 0,
            LongestBlock = new(Rarely(30) ? 200_000 : 300_000_000),
            Probe = random.Next(6) == 0 ? (ProbeResult)random.Next(3) : ProbeResult.None,
            Unblocks = Rarely(60),
            Boundary = heard.Reply is { } reply && random.Next(2) == 0 ? Edge(reply.Now.Value + since) : Microseconds.Zero,
            BoundaryWidth = new(random.Next(20_000, 90_000)),
            Returned = returned,
        });
    }

    // As of a process that believes the vendor to count in another form.
    private LimitParameters OtherForm => new(shape.Rate * 1.1, (shape.Base * 2) + 1, shape.Reserve * 2, shape.Spare) { WindowLength = shape.WindowLength > Microseconds.Zero ? Microseconds.Zero : Microseconds.FromSeconds(1), WindowPermits = 186 };

    private bool Rarely(int oneOf) => random.Next(_isCalm ? oneOf * 40 : oneOf) == 0;

    private Microseconds Edge(double now) => Rarely(20) ? RateLimitCall.BoundaryElsewhere
        : Rarely(20) ? new(now - random.Next(2_000_000))
        : new(Math.Floor(now - ((now - _phase) % Math.Max(1, shape.WindowLength.Value)) + random.Next(15_000)));

    public void Heard(RateLimitCall call, RateLimitReply reply)
    {
        _heard[call.Process] = (reply, _clock);
        _slots.TryAdd(call.Process, []);
        _slots[call.Process].AddRange(reply.Slots.Select(s => s.At));
    }
}
