using System.Diagnostics;

namespace SendProxy.IntegrationTests.Queueing;

/// <summary>A file system of a few MiB, mounted for one test.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private SmallDisk(string path)
    {
        Path = path;
    }

    public string Path { get; }

    /// <returns>Null where this process may not mount.</returns>
    public static async Task<SmallDisk?> MountAsync(int mebibytes)
    {
        var path = Directory.CreateTempSubdirectory("sendproxy-disk").FullName;
        if (await RunAsync("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "tmpfs", path) == 0)
        {
            return new SmallDisk(path);
        }

        Directory.Delete(path);
        return null;
    }

    /// <summary>Uses up all that is free.</summary>
    /// <returns>The file that does; without it there is room again.</returns>
    public string Fill()
    {
        var path = System.IO.Path.Combine(Path, "filler");
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            while (true)
            {
                file.Write(new byte[512]);
            }
        }
        catch (IOException)
        {
            return path;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await RunAsync("umount", Path);
        Directory.Delete(Path);
    }

    private static async Task<int> RunAsync(string command, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(
                new ProcessStartInfo(command, arguments)
                {
                    RedirectStandardError = true,
                    RedirectStandardOutput = true,
                })!;
            await process.WaitForExitAsync();
            return process.ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return -1;
        }
    }
}
