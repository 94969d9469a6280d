using System.Runtime.InteropServices;

namespace SendProxy.Secrets.Sealing;

/// <summary>Names in a directory: made without replacing any, and made durable, for which .NET has no call.</summary>
internal static class DirectorySync
{
    /// <summary>
    /// Does nothing where there is no libc. A file system that cannot sync a directory is left alone.
    /// </summary>
    public static void Flush(string directory)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        var descriptor = Open(directory, 0);
        if (descriptor >= 0)
        {
            _ = Fsync(descriptor);
            _ = Close(descriptor);
        }
    }

    /// <summary>Gives a file a second name; never replaces what has that name.</summary>
    /// <exception cref="IOException">There is a file of that name, or the file system has no hard links.</exception>
    public static void Link(string existing, string name)
    {
        if (OperatingSystem.IsWindows())
        {
            File.Move(existing, name, overwrite: false);
        }
        else if (LinkFile(existing, name) != 0)
        {
            throw new IOException("The name is taken, or the file system has no hard links.");
        }
    }

    [DllImport("libc", EntryPoint = "link")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int LinkFile(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string existing, [MarshalAs(UnmanagedType.LPUTF8Str)] string name);

    [DllImport("libc", EntryPoint = "open")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int Open([MarshalAs(UnmanagedType.LPUTF8Str)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int Fsync(int descriptor);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int Close(int descriptor);
}
