namespace SendProxy.Sending.RateLimiting.Concurrency;

/// <summary>What one process tells and asks of a limit of so many at once.</summary>
/// <param name="Kept">It may use so many while the call runs, whatever comes of it.</param>
/// <param name="Wanted">In all.</param>
/// <param name="IsShort">Someone waits there.</param>
/// <param name="Throttled">How long a 429 asked to wait; null: there was none.</param>
/// <param name="Seen">The last reply's number.</param>
/// <param name="KnownLive">Processes that it knows of.</param>
/// <param name="WasAway">It could not ask for a while.</param>
/// <param name="Leaves">It ends; what it holds is free.</param>
/// <param name="LongestBlock">No block lasts longer from now on; null: whatever its length.</param>
/// <param name="IsCapped">The 429 asked for more than that: at the block's end one request goes first.</param>
/// <param name="ProbeAnswered">That request was answered.</param>
/// <param name="Unblocks">An operator ends the block.</param>
internal sealed record ConcurrencyCall(
    int Kept, int Wanted, bool IsShort, TimeSpan? Throttled, long Seen, int KnownLive, bool WasAway, bool Leaves,
    TimeSpan? LongestBlock = null, bool IsCapped = false, bool ProbeAnswered = false, bool Unblocks = false);

/// <summary>What the state says to it. Times are from now on.</summary>
/// <param name="Leased">Slots of this process.</param>
/// <param name="Bound">The limit in force, of all.</param>
/// <param name="Live">Processes that share it.</param>
/// <param name="Rank">Which of them this one is, from 0.</param>
/// <param name="Short">Others that have someone waiting.</param>
/// <param name="Fair">What each may have while others are short.</param>
/// <param name="Held">The past is unknown: not everyone has told yet what it holds.</param>
/// <param name="Total">Leased by all.</param>
/// <param name="IsProbing">A block was shorter than the vendor asked: one request goes first.</param>
/// <param name="Lifted">When an operator last ended a block, by the store's clock; 0: never.</param>
internal sealed record ConcurrencyReply(int Leased, int Bound, int Live, int Rank, int Short, int Fair, TimeSpan Blocked, TimeSpan Held, long Number, int Total, bool IsProbing = false, double Lifted = 0);
