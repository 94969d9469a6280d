using SendProxy.Configuration;

namespace SendProxy.Overload;

/// <summary>Bounds of the whole process. Section <c>process</c>.</summary>
/// <param name="MaxInFlight">Requests at once; null: derived from the memory limit.</param>
/// <param name="MaxBufferedBytes">The memory budget; null: derived from the memory limit.</param>
internal sealed record ProcessOptions(int? MaxInFlight, long? MaxBufferedBytes, bool AllowCoreDumps)
{
    public static ProcessOptions Read(SettingsReader process) => new(
        MaxInFlight: (int?)process.OptionalInteger("maxInFlight", 1, 100_000,
            "Requests at once on the local port, waiting ones included; more get 503 overloaded. Default: 512, fewer below a memory limit of 192 MiB."),
        MaxBufferedBytes: process.OptionalSize("maxBufferedBytes", "1MiB", "16GiB",
            "The memory budget: all that requests hold at once, that is bodies, heads, webhooks, buffered answers and connections of every listener. Default: 40% of the container's memory limit, at most 256 MiB."),
        AllowCoreDumps: process.Flag("allowCoreDumps", false,
            "Let the kernel write a core file, which holds the keys, and other processes of this user read the memory: for debugging. Cannot be changed while running."));

    /// <summary>The memory budget in force, in bytes.</summary>
    public long BudgetOf(MemoryLimit memory) => MaxBufferedBytes ?? OverloadDefaults.BudgetOf(memory);

    /// <summary>The requests at once that are in force.</summary>
    public int MaxInFlightOf(MemoryLimit memory) => MaxInFlight ?? OverloadDefaults.MaxInFlightOf(memory);
}

/// <summary>What the bounds are where no setting says otherwise. docs/OPERATING.md has the table.</summary>
internal static class OverloadDefaults
{
    private const long MiB = 1 << 20;
    private const long BudgetMost = 256 * MiB;
    private const long BudgetLeast = 4 * MiB;
    private const int InFlightMost = 512;
    private const int InFlightLeast = 16;

    // Measured: an idle process takes some 40 MB, a request under way some 100 KiB beside its body, its connection to the vendor included.
    private const double ShareOfLimit = 0.4;
    private const double ShareOfHeap = 0.55;
    private const long LimitBytesForEachRequest = 384 * 1024;

    public static long BudgetOf(MemoryLimit memory) =>
        Math.Clamp((long)Math.Min(memory.Bytes * ShareOfLimit, memory.HeapBytes * ShareOfHeap), BudgetLeast, BudgetMost);

    public static int MaxInFlightOf(MemoryLimit memory) =>
        (int)Math.Clamp(memory.Bytes / LimitBytesForEachRequest, InFlightLeast, InFlightMost);

    /// <summary>The largest budget that leaves room for the process itself.</summary>
    public static long SafeBudgetOf(MemoryLimit memory) => (long)Math.Min(memory.Bytes * 0.6, memory.HeapBytes * 0.8);
}
