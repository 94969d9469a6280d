namespace SendProxy.Overload;

/// <summary>How much memory this process may use.</summary>
/// <param name="Bytes">The smallest limit of the control groups that the process is in; the machine's memory where none has a limit.</param>
/// <param name="HeapBytes">
/// What the garbage collector allows its heap. .NET takes 75 % of a container's limit, unless <c>DOTNET_GCHeapHardLimit</c> says otherwise:
/// https://learn.microsoft.com/dotnet/core/runtime-config/garbage-collector#heap-limit
/// </param>
/// <param name="IsContainer">A control group has a limit: what exceeds it ends the process.</param>
internal sealed record MemoryLimit(long Bytes, long HeapBytes, bool IsContainer)
{
    /// <summary>The limit of this process, as it was at its start.</summary>
    public static readonly MemoryLimit OfThisProcess = Detect();

    private static MemoryLimit Detect()
    {
        var heap = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return CgroupMemory.Limit("/") is { } limit ? new(limit, Math.Min(heap, limit), true) : new(heap, heap, false);
    }
}
