namespace SendProxy.Overload;

/// <summary>What memory is held for.</summary>
internal enum MemoryUse
{
    /// <summary>An accepted connection with the head of its request.</summary>
    Connection,

    /// <summary>The body of a request at the local port.</summary>
    RequestBody,

    /// <summary>An upstream's answer on its way to the caller.</summary>
    ResponseBody,

    /// <summary>The body of a webhook until it is stored.</summary>
    Webhook,

    /// <summary>Events that are being handed on to subscribers.</summary>
    Delivery,
}

/// <summary>
/// One budget for the memory of the whole process, charged before the memory is used. A quarter is kept for holders of at most
/// <see cref="SmallBytes"/>, so that a few large bodies cannot shut out the many small ones, and no use may fill more than half of the
/// budget with large ones where several listeners share it. Thread-safe, without locks.
/// </summary>
/// <param name="isShared">The local port and webhooks are both served.</param>
internal sealed class MemoryBudget(long bytes, bool isShared)
{
    /// <summary>A holder of at most so many bytes counts as small.</summary>
    public const int SmallBytes = 64 * 1024;

    private readonly long[] _reserved = new long[Enum.GetValues<MemoryUse>().Length];
    private readonly long[] _refusals = new long[Enum.GetValues<MemoryUse>().Length];
    private long _bytes = bytes;
    private long _total;

    /// <summary>The whole budget. A smaller one takes effect as memory is released.</summary>
    public long Bytes
    {
        get => Volatile.Read(ref _bytes);
        set => Volatile.Write(ref _bytes, value);
    }

    public long Total => Volatile.Read(ref _total);

    public long Reserved(MemoryUse use) => Volatile.Read(ref _reserved[(int)use]);

    public long Refusals(MemoryUse use) => Volatile.Read(ref _refusals[(int)use]);

    /// <returns>The most that one holder of this use can ever have, in bytes.</returns>
    public static long MostFor(long bytes, bool isShared) => isShared ? bytes / 2 : bytes / 4 * 3;

    /// <param name="held">What the same holder has already, in bytes.</param>
    /// <returns>False where there is no room: nothing was reserved.</returns>
    public bool TryReserve(MemoryUse use, long amount, long held = 0)
    {
        var budget = Bytes;
        var isSmall = held + amount <= SmallBytes;
        var (most, mostOfUse) = isSmall ? (budget, budget) : (budget / 4 * 3, MostFor(budget, isShared));
        if (Interlocked.Add(ref _total, amount) <= most && Interlocked.Add(ref _reserved[(int)use], amount) is var used)
        {
            if (used <= mostOfUse)
            {
                return true;
            }

            Interlocked.Add(ref _reserved[(int)use], -amount);
        }

        Interlocked.Add(ref _total, -amount);
        Interlocked.Increment(ref _refusals[(int)use]);
        return false;
    }

    /// <summary>Takes memory that can no longer be refused. The budget may be exceeded by it; then new holders are refused until enough was released.</summary>
    public void Charge(MemoryUse use, long amount)
    {
        Interlocked.Add(ref _total, amount);
        Interlocked.Add(ref _reserved[(int)use], amount);
    }

    public void Release(MemoryUse use, long amount)
    {
        Interlocked.Add(ref _reserved[(int)use], -amount);
        Interlocked.Add(ref _total, -amount);
    }
}
