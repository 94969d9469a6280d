using System.Text.RegularExpressions;

namespace SendProxy.Sqlite;

/// <summary>The mount a path is on, and whether a journal may stand there.</summary>
internal sealed record FileSystemVerdict(string MountPoint, string Type, bool Durable);

/// <summary>
/// Which file systems keep what was synced. On a list, because the unknown one is the one that loses data: tmpfs and
/// overlay end with the container, and SQLite's locks are broken on network file systems (sqlite.org/faq.html#q5).
/// </summary>
internal static partial class FileSystems
{
    private static readonly HashSet<string> DurableTypes = new(
        ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "jfs", "reiserfs"], StringComparer.Ordinal);

    /// <summary>
    /// The mount that <paramref name="directory"/> is on. Where there is no /proc, nothing is known: durable.
    /// </summary>
    public static FileSystemVerdict Find(string directory) =>
        File.Exists("/proc/self/mountinfo")
            ? Judge(File.ReadAllText("/proc/self/mountinfo"), Resolve(directory))
            : new FileSystemVerdict("/", "unknown", Durable: true);

    /// <summary>
    /// The mount with the longest mount point above <paramref name="path"/>; of several on one point the last, which
    /// covers the others. Fields as in proc_pid_mountinfo(5): the point is the fifth, the type follows the lone hyphen.
    /// </summary>
    /// <param name="mountInfo">What /proc/self/mountinfo says.</param>
    /// <param name="path">Absolute, without symbolic links.</param>
    public static FileSystemVerdict Judge(string mountInfo, string path)
    {
        var found = new FileSystemVerdict("", "unknown", Durable: false);
        foreach (var line in mountInfo.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var fields = line.Split(' ');
            var hyphen = Array.IndexOf(fields, "-");
            if (fields.Length < 6 || hyphen < 0 || hyphen + 1 >= fields.Length)
            {
                continue;
            }

            var point = Octal().Replace(fields[4], Unescape);
            if (point.Length >= found.MountPoint.Length && IsAbove(point, path))
            {
                found = new FileSystemVerdict(point, fields[hyphen + 1], DurableTypes.Contains(fields[hyphen + 1]));
            }
        }

        return found;
    }

    // A space in a mount point stands there as \040.
    private static string Unescape(Match match) => ((char)Convert.ToInt32(match.Groups[1].Value, 8)).ToString();

    private static bool IsAbove(string point, string path) =>
        point == "/" || path == point || path.StartsWith(point + "/", StringComparison.Ordinal);

    // Each part in turn: a link may stand anywhere in the path, and a link's target may hold links.
    private static string Resolve(string directory)
    {
        var resolved = "/";
        foreach (var part in Path.GetFullPath(directory).Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var next = new DirectoryInfo(Path.Combine(resolved, part));
            resolved = next.ResolveLinkTarget(returnFinalTarget: true) is { } target
                ? Resolve(target.FullName)
                : next.FullName;
        }

        return resolved;
    }

    [GeneratedRegex(@"\\([0-7]{3})")]
    private static partial Regex Octal();
}
