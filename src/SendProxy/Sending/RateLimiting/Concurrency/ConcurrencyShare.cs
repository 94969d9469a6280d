using SendProxy.Sending.RateLimiting.Clocks;

namespace SendProxy.Sending.RateLimiting.Concurrency;

/// <summary>
/// The slots of a concurrency limit that this process holds, and when it must call the store about them. It reads no clock and makes no
/// calls itself. Times are of one monotonic clock. Not safe for threads.
/// </summary>
/// <param name="limit">The plan's.</param>
/// <param name="fleetSize">How many processes there are, before that is known.</param>
/// <param name="isClosedWhenAway">Redis away: nothing goes out rather than this process's share.</param>
/// <param name="longestBlock">No 429 blocks it for longer.</param>
internal sealed class ConcurrencyShare(int limit, bool isShared, int fleetSize, bool isClosedWhenAway, TimeSpan longestBlock)
{
    /// <summary>A healthy process calls the store this often.</summary>
    private static readonly Microseconds RenewEvery = Microseconds.FromSeconds(2);

    private static readonly Microseconds AskAgain = Microseconds.FromSeconds(0.1);
    private static readonly Microseconds ProbeEvery = Microseconds.FromSeconds(0.25);

    // Processes that hold all slots notice that the store is away, and end what is above their share, sooner than this.
    private static readonly Microseconds FirstSlotAfter = Microseconds.FromSeconds(1);
    private const int AheadMax = 16;

    // A process uses its lease for a shorter time than the fleet keeps it.
    private static readonly Microseconds Usable = Microseconds.From(RedisConcurrencyStore.Lease) - Microseconds.FromSeconds(0.5);

    private int _cap;
    private Microseconds _validUntil = Microseconds.LongAgo;
    private Microseconds _renewAt = Microseconds.LongAgo;
    private Microseconds _askAt = Microseconds.LongAgo;
    private Microseconds _probeAt;
    private Microseconds _shareFrom;
    private Microseconds _firstSlotFrom;
    private int _capAtAway;
    private bool _mustAsk;
    private bool _inFlight;
    private TimeSpan? _throttled;
    private ConcurrencyReply? _reply;
    private bool _isCapped;
    private bool _probeAnswered;
    private bool _unblocks;
    private double _lifted;

    /// <summary>A block was shorter than the vendor asked, and one request goes first.</summary>
    public bool IsProbing => _reply is { IsProbing: true };

    /// <summary>How many calls were made, and how many of them have ended.</summary>
    public (long Made, long Ended) Calls { get; private set; }

    /// <summary>Requests that are at the vendor now.</summary>
    public int Used { get; private set; }

    public bool IsAway { get; private set; }

    public Microseconds BlockedUntil { get; private set; }

    /// <summary>The limit in force, of all.</summary>
    public int Bound => _reply?.Bound ?? limit;

    public int Live => _reply?.Live ?? Math.Max(1, fleetSize);

    /// <summary>Other processes wait for slots that this one does not need.</summary>
    public bool OthersAreShort { get; private set; }

    /// <summary>Nothing is known of the fleet yet, and it was not found to be away.</summary>
    public bool IsUnknown => _reply is null && !IsAway;

    /// <summary>Slots that can be given out now.</summary>
    public int Free(Microseconds now) => now < BlockedUntil ? 0 : Math.Max(0, Cap(now) - Used);

    /// <summary>How many this process may have at the vendor.</summary>
    public int Cap(Microseconds now) => IsAway ? Share(now) : now < _validUntil ? _cap : 0;

    /// <summary>How many slots it can expect in the long run; waiting times are predicted from it.</summary>
    public double Expected(Microseconds now) => IsAway ? Share(now) : Math.Max(Cap(now), OthersAreShort ? (double)Bound / Live : Bound - (_reply?.Total ?? 0) + Cap(now));

    public void Take(int slots) => Used += slots;

    public void Return(int slots) => Used -= slots;

    /// <summary>A message said that a call to the store is worth it.</summary>
    public void Told() => _mustAsk = true;

    /// <summary>A message said that another process waits: idle slots are given back at once.</summary>
    public void ToldShort() => (OthersAreShort, _mustAsk) = (!IsAway, _mustAsk || _cap > Used);

    public void Block(Microseconds until) => BlockedUntil = Microseconds.Max(BlockedUntil, until);

    /// <summary>A request of this process was answered, and not with a 429.</summary>
    public void Answered() => _probeAnswered |= IsProbing;

    /// <summary>An operator ends the block.</summary>
    public void Unblock(Microseconds now) => (BlockedUntil, _throttled, _isCapped, _unblocks) = (Microseconds.Min(BlockedUntil, now), null, false, true);

    /// <summary>The vendor said 429.</summary>
    /// <param name="isCapped">It asked for a longer wait.</param>
    public void Throttle(Microseconds now, TimeSpan wait, bool isCapped)
    {
        _isCapped |= isCapped;
        Block(now + Microseconds.From(wait));
        _throttled = Longest(_throttled, wait);
    }

    /// <param name="waiting">Slots that waiters need.</param>
    /// <returns>The call to make now; null where there is none.</returns>
    public ConcurrencyCall? NextCall(Microseconds now, int waiting)
    {
        if (_inFlight || !IsDue(now, waiting))
        {
            return null;
        }

        var wanted = Math.Min(limit, Used + waiting + Ahead);
        var kept = IsAway ? Math.Max(Used, Share(now))
            : now >= _validUntil || OthersAreShort ? Used
            : Math.Max(Used, Math.Min(_cap, wanted));
        if (!IsAway && isShared)
        {
            // Slots that the call may take away are not given out while it runs.
            _cap = Math.Min(_cap, kept);
        }

        (_inFlight, _mustAsk) = (true, false);
        Calls = (Calls.Made + 1, Calls.Ended);
        var call = new ConcurrencyCall(kept, Math.Max(kept, wanted), waiting > 0, _throttled, _reply?.Number ?? 0, Live, IsAway, Leaves: false,
            longestBlock, _isCapped, _probeAnswered, _unblocks);
        (_throttled, _isCapped, _probeAnswered, _unblocks) = (null, false, false, false);
        return call;
    }

    /// <summary>The last call of a process that ends.</summary>
    public ConcurrencyCall Leave() => new(0, 0, false, null, _reply?.Number ?? 0, Live, false, Leaves: true, longestBlock);

    /// <param name="sentAt">When the call was taken.</param>
    /// <param name="reply">Null: it was not answered in time.</param>
    public void Replied(Microseconds now, Microseconds sentAt, ConcurrencyCall call, ConcurrencyReply? reply)
    {
        _inFlight = false;
        Calls = (Calls.Made, Calls.Made);
        if (reply is null)
        {
            // The store may not have received this, so that it is reported again.
            _throttled = Longest(_throttled, call.Throttled);
            (_isCapped, _probeAnswered, _unblocks) = (_isCapped || call.IsCapped, _probeAnswered || call.ProbeAnswered, _unblocks || call.Unblocks);
            GoAway(now);
            return;
        }

        IsAway = false;
        // Not all processes are counted yet: the number that was known before stays.
        _reply = reply.Held > TimeSpan.Zero ? reply with { Live = Math.Max(reply.Live, Live) } : reply;
        (_cap, _validUntil) = (reply.Leased, isShared ? sentAt + Usable : Microseconds.Never);
        OthersAreShort = reply.Short > 0;
        _renewAt = isShared || reply.Bound < limit ? now + RenewEvery : Microseconds.Never;
        _askAt = reply.Leased < call.Wanted ? now + (call.IsShort ? AskAgain : RenewEvery / 4) : now;
        if (reply.Lifted > _lifted)
        {
            (_lifted, BlockedUntil) = (reply.Lifted, now);
        }

        Block(now + Microseconds.From(reply.Blocked));
    }

    /// <summary>When it must be looked at next, even if nothing happens.</summary>
    public Microseconds LookAt(Microseconds now, int waiting)
    {
        var at = _inFlight ? Microseconds.Never : IsAway ? _probeAt : waiting > 0 && isShared ? Microseconds.Min(_renewAt, _askAt) : _renewAt;
        return IsAway && now < _firstSlotFrom ? Microseconds.Min(at, _firstSlotFrom)
            : IsAway && now < _shareFrom ? Microseconds.Min(at, _shareFrom) : now < BlockedUntil ? Microseconds.Min(at, BlockedUntil) : at;
    }

    // Slots that are asked for before they are needed, so that no request waits for the reply.
    private int Ahead => OthersAreShort ? 0 : Math.Clamp(Used / 2, 1, AheadMax);

    private bool IsDue(Microseconds now, int waiting)
    {
        if ((_throttled is not null || _probeAnswered || _unblocks) && !IsAway)
        {
            return true;
        }

        if (IsAway)
        {
            return now >= _probeAt;
        }

        if (_mustAsk || now >= _renewAt || !isShared)
        {
            return _mustAsk || now >= _renewAt;
        }

        var idle = _cap - Used;
        if (OthersAreShort && idle > 0 && _cap > (_reply?.Fair ?? 0))
        {
            return true;
        }

        return now >= _askAt && (waiting > 0 || (idle < (Ahead + 1) / 2 && _cap < Bound && !OthersAreShort));
    }

    private static TimeSpan? Longest(TimeSpan? one, TimeSpan? other) => one > other ? one : other ?? one;

    private void GoAway(Microseconds now)
    {
        if (!IsAway)
        {
            _capAtAway = now < _validUntil ? _cap : 0;
            // Until then requests that other processes began beyond their share may still be at the vendor.
            _shareFrom = _reply is null ? now : now + Usable;
            _firstSlotFrom = _capAtAway > 0 ? now : now + FirstSlotAfter;
        }

        (IsAway, OthersAreShort, _probeAt) = (true, false, now + ProbeEvery);
    }

    private int Share(Microseconds now)
    {
        if (isClosedWhenAway)
        {
            return 0;
        }

        if (_reply is not { } reply)
        {
            return limit / Math.Max(1, fleetSize);
        }

        var share = (reply.Bound / reply.Live) + (reply.Rank < reply.Bound % reply.Live ? 1 : 0);
        return now < _shareFrom ? Math.Min(share, Math.Max(now < _firstSlotFrom ? 0 : 1, _capAtAway)) : share;
    }
}
