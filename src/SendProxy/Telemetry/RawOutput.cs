using System.Runtime.InteropServices;

namespace SendProxy.Telemetry;

/// <summary>A descriptor that is written to by one system call a piece. <c>Console</c>'s stream has no asynchronous write and queues a task for each.</summary>
internal sealed partial class RawOutput(int descriptor) : Stream
{
    public const int StandardOutput = 1;

    // errno of Linux, the same on x64 and arm64.
    private const int Interrupted = 4;
    private const int WouldBlock = 11;
    private const short CanTake = 4;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="IOException">The reader is gone, or the file system is full.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var written = Write(descriptor, buffer, (nuint)buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
                continue;
            }

            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted:
                    break;
                case WouldBlock:
                    // Whoever shares the pipe made it non-blocking.
                    var ready = new Awaited(descriptor, CanTake, 0);
                    _ = Poll(ref ready, 1, -1);
                    break;
                case var error:
                    throw new IOException($"write failed with errno {error}.");
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, ReadOnlySpan<byte> bytes, nuint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref Awaited awaited, nuint count, int milliseconds);

    /// <summary>poll's struct.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Awaited(int Descriptor, short Events, short AttemptOutcome);
}
