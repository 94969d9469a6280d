using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace SendProxy.Load;

/// <summary>Linux's epoll and bare reads and writes: one thread waits for all connections, to the microsecond and without a thread pool in between.</summary>
internal sealed partial class Epoll : IDisposable
{
    private const int Add = 1;
    private const uint In = 1;
    private const uint EdgeTriggered = 1u << 31;
    private const int EventsMax = 512;
    private const int NoSignal = 0x4000;

    // struct epoll_event is packed on x86-64 alone.
    private static readonly int Stride = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = Stride - sizeof(ulong);

    private readonly int _handle = Create(0);
    private readonly byte[] _events = new byte[EventsMax * 16];

    /// <summary>Tells of <paramref name="index"/> whenever there is something new to read.</summary>
    public void Watch(int socket, int index)
    {
        Span<byte> one = stackalloc byte[16];
        MemoryMarshal.Write(one, In | EdgeTriggered);
        MemoryMarshal.Write(one[DataOffset..], (ulong)index);
        if (Control(_handle, Add, socket, ref MemoryMarshal.GetReference(one)) != 0)
        {
            throw new IOException($"epoll_ctl failed with errno {Marshal.GetLastPInvokeError()}");
        }
    }

    /// <returns>How many of <paramref name="ready"/> were filled: indexes with something to read.</returns>
    public int Wait(Span<int> ready, TimeSpan most)
    {
        var time = new TimeSpec((long)most.TotalSeconds, most.Ticks % TimeSpan.TicksPerSecond * 100);
        var count = Wait(_handle, ref _events[0], Math.Min(EventsMax, ready.Length), in time, 0);
        for (var i = 0; i < count; i++)
        {
            ready[i] = (int)BinaryPrimitives.ReadUInt64LittleEndian(_events.AsSpan((i * Stride) + DataOffset));
        }

        return Math.Max(count, 0);
    }

    /// <returns>Bytes; 0: the other side closed; -1: nothing there now, or broken.</returns>
    public static int Read(int socket, Span<byte> into) => (int)Receive(socket, ref MemoryMarshal.GetReference(into), into.Length, 0);

    public static int Write(int socket, ReadOnlySpan<byte> from) => (int)Send(socket, in MemoryMarshal.GetReference(from), from.Length, NoSignal);

    public void Dispose() => _ = Close(_handle);

    [LibraryImport("libc", EntryPoint = "epoll_create1")]
    private static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int Control(int epoll, int operation, int socket, ref byte description);

    [LibraryImport("libc", EntryPoint = "epoll_pwait2")]
    private static partial int Wait(int epoll, ref byte events, int most, in TimeSpec time, nint mask);

    [LibraryImport("libc", EntryPoint = "recv")]
    private static partial nint Receive(int socket, ref byte into, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "send")]
    private static partial nint Send(int socket, in byte from, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int handle);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct TimeSpec(long Seconds, long Nanoseconds);
}
