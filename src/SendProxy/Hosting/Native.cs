using System.Runtime.InteropServices;

namespace SendProxy.Hosting;

/// <summary>What .NET has no call for. Linux with glibc or musl; each yields -1 where it fails.</summary>
internal static partial class Native
{
    public const int DumpableOption = 4;
    public const int CoreLimit = 4;

    private const int MayEnterBit = 1;
    private const int MayWriteBit = 2;
    private const int CurrentFolder = -100;
    private const int NoFollow = 0x100;
    private const uint BasicStats = 0x7ff;
    private const int StatxBytes = 256;
    private const int ModeOffset = 28;
    private const int UserOffset = 20;
    private const int TypeMask = 0xF000;
    private const int DirectoryType = 0x4000;
    private const int SocketType = 0xC000;

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    public static partial int ProcessControl(int option, nuint value, nuint unused3, nuint unused4, nuint unused5);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    public static partial int SetLimit(int resource, in ResourceLimit limit);

    [LibraryImport("libc", EntryPoint = "umask")]
    public static partial uint SetMask(uint mask);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint UserId();

    /// <returns>Whether it is a directory, no link to one, of this user and closed to all others.</returns>
    public static bool IsOwnClosedFolder(string path)
    {
        // struct statx is the same on every architecture, unlike struct stat.
        Span<byte> stat = stackalloc byte[StatxBytes];
        if (Stat(CurrentFolder, path, NoFollow, BasicStats, ref MemoryMarshal.GetReference(stat)) != 0)
        {
            return false;
        }

        var mode = MemoryMarshal.Read<ushort>(stat[ModeOffset..]);
        return (mode & TypeMask) == DirectoryType && (mode & 0x3F) == 0 && MemoryMarshal.Read<uint>(stat[UserOffset..]) == UserId();
    }

    /// <returns>Whether it is a socket, and no link to one.</returns>
    public static bool IsSocket(string path)
    {
        Span<byte> stat = stackalloc byte[StatxBytes];
        return Stat(CurrentFolder, path, NoFollow, BasicStats, ref MemoryMarshal.GetReference(stat)) == 0
            && (MemoryMarshal.Read<ushort>(stat[ModeOffset..]) & TypeMask) == SocketType;
    }

    /// <returns>Whether this user may write the file, or make files in the directory.</returns>
    public static bool MayWrite(string path) => Access(path, Directory.Exists(path) ? MayWriteBit | MayEnterBit : MayWriteBit) == 0;

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(int folder, string path, int flags, uint mask, ref byte buffer);
}

/// <summary>struct rlimit.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct ResourceLimit(nuint Soft, nuint Hard);
