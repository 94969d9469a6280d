namespace SendProxy.Sending.RateLimiting.Concurrency;

/// <summary>What one process reports to the store of a concurrency limit, and what it asks for.</summary>
/// <param name="Kept">Slots that it may use while the call runs, whatever the reply will be.</param>
/// <param name="Wanted">Slots that it wants in all.</param>
/// <param name="IsShort">Requests wait in this process.</param>
/// <param name="Throttled">How long a 429 asked to wait; null: there was none.</param>
/// <param name="Seen">The last reply's number.</param>
/// <param name="KnownLive">Number of processes that it knows of.</param>
/// <param name="WasAway">The store did not answer its last call.</param>
/// <param name="Leaves">The process ends, and its slots become free.</param>
/// <param name="LongestBlock">No block lasts longer from now on; null: whatever its length.</param>
/// <param name="IsCapped">The 429 asked for more than that: at the block's end one request goes first.</param>
/// <param name="ProbeAnswered">That request was answered.</param>
/// <param name="Unblocks">An operator ends the block.</param>
internal sealed record ConcurrencyCall(
    int Kept, int Wanted, bool IsShort, TimeSpan? Throttled, long Seen, int KnownLive, bool WasAway, bool Leaves,
    TimeSpan? LongestBlock = null, bool IsCapped = false, bool ProbeAnswered = false, bool Unblocks = false);

/// <summary>The reply of the store of a concurrency limit. Times count from now on.</summary>
/// <param name="Leased">Slots that this process may use.</param>
/// <param name="Bound">The limit in force, for all processes.</param>
/// <param name="Live">Processes that share it.</param>
/// <param name="Rank">Which of them this one is, from 0.</param>
/// <param name="Short">Other processes in which requests wait.</param>
/// <param name="Fair">Slots that each process may have while requests wait in others.</param>
/// <param name="Held">The store has lost its state, and for this long not all processes have reported what they hold.</param>
/// <param name="Total">Slots leased by all processes.</param>
/// <param name="IsProbing">A block was shorter than the vendor asked: one request goes first.</param>
/// <param name="Lifted">When an operator last ended a block, by the store's clock; 0: never.</param>
internal sealed record ConcurrencyReply(int Leased, int Bound, int Live, int Rank, int Short, int Fair, TimeSpan Blocked, TimeSpan Held, long Number, int Total, bool IsProbing = false, double Lifted = 0);
