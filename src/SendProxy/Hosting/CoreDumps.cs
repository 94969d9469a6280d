using System.Runtime.InteropServices;

namespace SendProxy.Hosting;

/// <summary>
/// A core file holds every key. Asks the kernel for none: no core size, hard, and not dumpable, which also closes
/// <c>/proc/PID/mem</c> and ptrace to other processes of the same user. Root may read it still.
/// </summary>
/// <param name="Problem">What the kernel refused; null where it took all, or where dumps are allowed.</param>
internal sealed record CoreDumps(string? Problem)
{
    /// <summary>Call before the first key is read.</summary>
    public static CoreDumps Set(bool allowed)
    {
        if (allowed || !OperatingSystem.IsLinux())
        {
            return new(allowed ? null : "this is not Linux");
        }

        var limit = Native.SetLimit(Native.CoreLimit, new ResourceLimit(0, 0)) == 0 ? null : $"setrlimit failed with errno {Marshal.GetLastPInvokeError()}";
        var dumpable = Native.ProcessControl(Native.DumpableOption, 0, 0, 0, 0) == 0 ? null : $"prctl failed with errno {Marshal.GetLastPInvokeError()}";
        return new(limit ?? dumpable);
    }
}
