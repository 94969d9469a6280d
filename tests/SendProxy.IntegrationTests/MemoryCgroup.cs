using System.Globalization;

namespace SendProxy.IntegrationTests;

/// <summary>
/// A memory control group of its own, of version 1 or 2, as a container has one: what exceeds its limit is ended by the kernel. Needs root
/// and a hierarchy that may be written.
/// </summary>
internal sealed class MemoryCgroup : IDisposable
{
    private const string First = "/sys/fs/cgroup/memory";
    private const string Second = "/sys/fs/cgroup";

    private readonly bool _isFirst;

    private MemoryCgroup(string path, bool isFirst) => (Path, _isFirst) = (path, isFirst);

    public string Path { get; }

    /// <summary>A command that moves itself into the group and executes what follows it.</summary>
    public string[] Before => ["sh", "-c", $"echo $$ > {Path}/cgroup.procs && exec \"$@\"", "sh"];

    /// <summary>The most memory that was in use, page cache included.</summary>
    public long MaxUsage => Read(_isFirst ? "memory.max_usage_in_bytes" : "memory.peak");

    /// <summary>Memory of the processes alone: what the kernel cannot take back.</summary>
    public long Resident => File.ReadLines(System.IO.Path.Combine(Path, "memory.stat"))
        .Where(l => l.StartsWith(_isFirst ? "rss " : "anon ", StringComparison.Ordinal))
        .Select(l => long.Parse(l.Split(' ')[1], CultureInfo.InvariantCulture)).FirstOrDefault();

    /// <returns>Null and the reason where none can be made.</returns>
    public static (MemoryCgroup? Group, string Reason) TryCreate(int mebibytes)
    {
        var isFirst = Directory.Exists(First);
        var path = System.IO.Path.Combine(isFirst ? First : Second, $"sendproxy-test-{Guid.NewGuid():n}");
        try
        {
            Directory.CreateDirectory(path);
            File.WriteAllText(System.IO.Path.Combine(path, isFirst ? "memory.limit_in_bytes" : "memory.max"), $"{mebibytes}M");
            return (new MemoryCgroup(path, isFirst), "");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (Directory.Exists(path))
            {
                Directory.Delete(path);
            }

            return (null, $"No memory control group can be made here: {e.Message}");
        }
    }

    /// <summary>Removes it; its processes have ended.</summary>
    public void Dispose() => Directory.Delete(Path);

    private long Read(string file) => long.Parse(File.ReadAllText(System.IO.Path.Combine(Path, file)), CultureInfo.InvariantCulture);
}
