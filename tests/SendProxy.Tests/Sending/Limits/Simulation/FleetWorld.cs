using SendProxy.Sending.RateLimiting.Clocks;
using SendProxy.Sending.RateLimiting;
using SendProxy.Sending.RateLimiting.Priorities;
using SendProxy.Sending.RateLimiting.Rates;

namespace SendProxy.Tests.Sending.Limits.Simulation;

/// <summary>What a run is about.</summary>
internal sealed record WorldOptions
{
    public int Processes { get; init; } = 10;

    /// <summary>The plan as configured.</summary>
    public LimitOptions Plan { get; init; } = Bucket(200, 40);

    /// <summary>As the vendor counts; null: as configured.</summary>
    public LimitOptions? Vendor { get; init; }

    /// <summary>Answers with headers say how many a window or the bucket holds.</summary>
    public bool NamesLimit { get; init; }

    /// <summary>Requests a second of the whole fleet, as a part of the plan's rate.</summary>
    public double Load { get; init; } = 1.5;

    /// <summary>Median of the way to the vendor, in seconds; one in 200 takes four times that more.</summary>
    public double UpSeconds { get; init; } = 0.015;

    /// <summary>Another load from then on.</summary>
    public (double At, double Load)? Surge { get; init; }

    public double Seconds { get; init; } = 30;

    public int Seed { get; init; } = 1;

    /// <summary>Part of the requests that is urgent.</summary>
    public double UrgentShare { get; init; } = 0.1;

    public double BulkShare { get; init; }

    /// <summary>Longest that a request waits.</summary>
    public double MaxWaitSeconds { get; init; } = 5;

    /// <summary>The vendor's own rate over time: from when, what part of the plan's.</summary>
    public (double At, double Part)[] VendorParts { get; init; } = [];

    /// <summary>Whether answers carry what remains.</summary>
    public bool HasHeaders { get; init; }

    public HeaderNoise Noise { get; init; }

    /// <summary>How they say when a window ends, where they have headers.</summary>
    public ResetForm Reset { get; init; }

    /// <summary>Where the vendor's windows begin, as a part of their length; null: anywhere.</summary>
    public double? Phase { get; init; }

    /// <summary>The vendor's windows begin with a request, not on a grid.</summary>
    public bool BeginsWithARequest { get; init; }

    /// <summary>The vendor's windows begin elsewhere from then on, by a part of their length.</summary>
    public (double At, double By)? PhaseMove { get; init; }

    /// <summary>The store is away, from when to when; it comes back empty where asked.</summary>
    public (double From, double To, bool Emptied)? Away { get; init; }

    /// <summary>So many processes from the start; the others come at the time.</summary>
    public (int Processes, double At)? Join { get; init; }

    /// <summary>The process with the most slots dies then.</summary>
    public double? Kill { get; init; }

    /// <summary>The vendor refuses one then, with this Retry-After.</summary>
    public (double At, double RetryAfter)? Refusal { get; init; }

    /// <summary>How the store's clock jumps: when, by how many seconds.</summary>
    public (double At, double By)[] ClockJumps { get; init; } = [];

    /// <summary>Longest block in seconds; what a vendor asks beyond it is followed by a probe.</summary>
    public double MaxBlockSeconds { get; init; } = 300;

    /// <summary>From then on, for so long, the vendor refuses everything and asks for this wait.</summary>
    public (double At, double For, double RetryAfter)? Outage { get; init; }

    /// <summary>An operator ends the block then, at the first process.</summary>
    public double Unblock { get; init; } = -1;

    /// <summary>All processes stand still then, for so long.</summary>
    public (double At, double For)? Freeze { get; init; }

    /// <summary>The part of requests that the vendor refuses although its limit has room, with this Retry-After in seconds.</summary>
    public (double Part, double RetryAfter) Unrelated { get; init; }

    /// <summary>What is wrong with the fleet: the controls.</summary>
    public FleetFlaw Flaw { get; init; }

    public static LimitOptions Bucket(int rate, int burst) =>
        new("plan", new SendProxy.Configuration.Rate(rate, TimeSpan.FromSeconds(1)), true, burst, TimeSpan.FromSeconds(30), 10_000);

    /// <summary>Its headers are to tell which of both.</summary>
    public static LimitOptions Auto(int permits, double seconds) => Window(permits, seconds) with { CountsAuto = true, Burst = permits };

    public static LimitOptions Window(int permits, double seconds) =>
        new("plan", new SendProxy.Configuration.Rate(permits, TimeSpan.FromSeconds(seconds)), false, 1, TimeSpan.FromSeconds(60), 10_000);
}

/// <summary>Ways to get it wrong, each of which the bars must catch.</summary>
internal enum FleetFlaw
{
    None,

    /// <summary>Each process keeps the whole plan by itself.</summary>
    OwnLimit,

    /// <summary>What a process may send without asking adds up until it is used.</summary>
    TokensNeverExpire,

    /// <summary>What was answered 429 is sent again at once, without a permit.</summary>
    RetriesSkipTheLimiter,

    /// <summary>Nobody tells the store how long its last answer is ago.</summary>
    ClockIsBelieved,

    /// <summary>The rate of the vendor's own windows is taken from the start, and nothing is counted in them.</summary>
    PhaseIsBelieved,
}

/// <summary>
/// A fleet in virtual time: the machines of production, one book as their store, a network in between and an exact vendor.
/// Times are microseconds. shared/limiter-sim is the model that this follows.
/// </summary>
internal sealed class FleetWorld
{
    private const double Warm = 4e6;
    private static readonly LaneTable Lanes = LaneTable.Default;

    private readonly WorldOptions _options;
    private readonly PriorityQueue<Action, (double At, long Order)> _events = new();
    private readonly Random _random;
    private readonly List<FleetMember> _members = [];
    private readonly ExactVendor _vendor;
    private readonly Dictionary<string, RateLimitState> _own = [];
    private RateLimitState _book = new();
    private long _order;

    public FleetWorld(WorldOptions options)
    {
        _options = options;
        _random = new Random(options.Seed);
        _vendor = new ExactVendor(options.Vendor ?? options.Plan, options.Phase ?? _random.NextDouble(), options.Noise, options.HasHeaders ? options.Reset : ResetForm.None)
        {
            BeginsWithARequest = options.BeginsWithARequest,
            NamesLimit = options.NamesLimit,
            Unrelated = (options.Unrelated.Part, options.Unrelated.RetryAfter * 1e6, _random.NextDouble),
        };
    }

    public double Now { get; private set; } = 1e6;

    /// <summary>Between two requests of one process.</summary>
    public double MeanGap => 1e6 * _options.Processes / (Load * _options.Plan.Rate!.Value.PerSecond);

    private double Load => _options.Surge is { } surge && Now >= 1e6 + (surge.At * 1e6) ? surge.Load : _options.Load;

    public TimeSpan ResetBlur => _vendor.ResetBlur;

    public Random Random => _random;

    public WorldOptions Options => _options;

    public FleetFigures Run()
    {
        var first = _options.Join?.Processes ?? _options.Processes;
        for (var i = 0; i < _options.Processes; i++)
        {
            if (i < first)
            {
                Add(i);
            }
        }

        At(_options.Join?.At ?? -1, () =>
        {
            for (var i = first; i < _options.Processes; i++)
            {
                Add(i);
            }
        });
        At(_options.Kill ?? -1, () => _members.MaxBy(m => m.Sent)!.IsDead = true);
        At(_options.Refusal?.At ?? -1, () => _vendor.RefuseOne(_options.Refusal!.Value.RetryAfter * 1e6));
        At(_options.Outage?.At ?? -1, () => _vendor.RefuseUntil(Now + (_options.Outage!.Value.For * 1e6), _options.Outage.Value.RetryAfter * 1e6));
        At(_options.Unblock, () => _members.ForEach(m => m.Unblock()));
        At(_options.PhaseMove?.At ?? -1, () => _vendor.MovePhase(_options.PhaseMove!.Value.By));
        At(_options.Away is { Emptied: true } away ? away.To : -1, () => _book = new RateLimitState());
        foreach (var (at, part) in _options.VendorParts)
        {
            At(at, () => _vendor.ChangeRate(Now, part));
        }

        var end = 1e6 + (_options.Seconds * 1e6);
        while (_events.TryDequeue(out var action, out var when) && when.At <= end)
        {
            Now = when.At;
            action();
        }

        return new FleetFigures(_vendor, _members, _options, Warm);
    }

    public void After(double microseconds, Action action) => _events.Enqueue(action, (Now + Math.Max(0, microseconds), _order++));

    /// <summary>Something that a process does: while they all stand still it waits until they go on.</summary>
    public void AfterAwake(double microseconds, Action action) => After(microseconds, () =>
    {
        if (FrozenFor > 0)
        {
            After(FrozenFor, action);
        }
        else
        {
            action();
        }
    });

    private double FrozenFor => _options.Freeze is { } freeze && Now >= 1e6 + (freeze.At * 1e6) ? Math.Max(0, 1e6 + ((freeze.At + freeze.For) * 1e6) - Now) : 0;

    /// <summary>A call to the store: half a trip, the book, half a trip back; nothing while it is away.</summary>
    public void Ask(RateLimitCall told, Action<RateLimitReply?> answered)
    {
        var call = _options.Flaw switch
        {
            FleetFlaw.ClockIsBelieved => told with { SeenNow = Microseconds.Zero, SeenTat = Microseconds.Zero },
            FleetFlaw.PhaseIsBelieved => told with { Parameters = told.Parameters.InWindow with { WindowLength = Microseconds.Zero } },
            _ => told,
        };
        if (IsAway)
        {
            AfterAwake(50_000, () => answered(null));
            return;
        }

        var trip = 500 * Math.Exp(0.35 * Gauss());
        trip = _random.NextDouble() < 0.01 ? 2_000 + (_random.NextDouble() * 18_000) : trip;
        After(trip / 2, () =>
        {
            if (IsAway)
            {
                AfterAwake(50_000, () => answered(null));
                return;
            }

            var reply = BookOf(call).Run(new(1e12 + Now + (_options.ClockJumps.Where(j => Now >= (j.At * 1e6) + 1e6).Sum(j => j.By) * 1e6)), call);
            AfterAwake(trip / 2, () => answered(reply));
        });
    }

    /// <summary>A send: on its way, at the vendor, and back.</summary>
    public void Send(FleetMember member, Lane lane, Action<VendorAnswer> answered)
    {
        var up = _options.UpSeconds * 1e6 * (Math.Exp(0.6 * Gauss()) + (_random.NextDouble() < 0.005 ? 4 : 0));
        After(up, () =>
        {
            var answer = _vendor.Arrive(Now, member.Index, lane);
            AfterAwake(63_000 * Math.Exp(0.4 * Gauss()), () => answered(answer));
        });
    }

    public double Exponential(double mean) => -mean * Math.Log(1 - _random.NextDouble());

    public void Block(double wait)
    {
        foreach (var member in _members)
        {
            AfterAwake(300, () => member.Block(wait));
        }
    }

    public void AskAgain() => _members.ForEach(m => AfterAwake(300, m.AskAgain));

    private bool IsAway => _options.Away is { } away && Now >= (away.From * 1e6) + 1e6 && Now < (away.To * 1e6) + 1e6;

    private RateLimitState BookOf(RateLimitCall call)
    {
        if (_options.Flaw != FleetFlaw.OwnLimit)
        {
            return _book;
        }

        return _own.TryGetValue(call.Process, out var own) ? own : _own[call.Process] = new RateLimitState();
    }

    private double Gauss() => Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());

    private void At(double seconds, Action action)
    {
        if (seconds >= 0)
        {
            _events.Enqueue(action, (1e6 + (seconds * 1e6), _order++));
        }
    }

    private void Add(int index)
    {
        var member = new FleetMember(this, index, Lanes);
        _members.Add(member);
        member.Start();
    }
}
