using System.Globalization;

namespace SendProxy.Overload;

/// <summary>
/// Reads the memory limit of the control groups that this process is in, of version 1 and 2. A limit of a parent counts too.
/// https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
/// </summary>
internal static class CgroupMemory
{
    // Version 1 writes "no limit" as the largest multiple of a page: 9223372036854771712.
    private const long NoLimit = 1L << 60;

    /// <param name="root">Where the file system begins; <c>/</c>, or a folder with a copy of it in tests.</param>
    /// <returns>Bytes; null where no control group has a limit, or there are none.</returns>
    public static long? Limit(string root)
    {
        try
        {
            var groups = File.ReadAllLines(Path.Combine(root, "proc/self/cgroup"));
            var mounts = File.ReadAllLines(Path.Combine(root, "proc/self/mountinfo"));
            var first = Smallest(root, GroupOf(groups, "memory"), MountOf(mounts, "cgroup", "memory"), "memory.limit_in_bytes");
            var second = Smallest(root, GroupOf(groups, ""), MountOf(mounts, "cgroup2", null), "memory.max");
            return first is null ? second : second is null ? first : Math.Min(first.Value, second.Value);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not Linux, or hidden: then the garbage collector's own view counts.
            return null;
        }
    }

    // A line of /proc/self/cgroup: number, controllers, path, with colons between them. Version 2 names no controllers.
    private static string? GroupOf(string[] lines, string controller) => lines
        .Select(line => line.Split(':', 3))
        .FirstOrDefault(parts => parts.Length == 3 && parts[1].Split(',').Contains(controller, StringComparer.Ordinal))?[2];

    // A line of mountinfo: id, parent, device, root, mount point, options, ..., "-", type, source, options of the file system (proc(5)).
    private static (string Root, string Point)? MountOf(string[] lines, string type, string? controller)
    {
        foreach (var line in lines)
        {
            var fields = line.Split(' ');
            var dash = Array.IndexOf(fields, "-");
            if (dash > 4 && fields.Length > dash + 3 && fields[dash + 1] == type
                && (controller is null || fields[dash + 3].Split(',').Contains(controller, StringComparer.Ordinal)))
            {
                return (fields[3], fields[4]);
            }
        }

        return null;
    }

    private static long? Smallest(string root, string? group, (string Root, string Point)? mount, string file)
    {
        if (group is null || mount is not var (mountRoot, point))
        {
            return null;
        }

        // Inside a container the group's path may be the host's: what the mount shows begins at its root.
        var path = mountRoot != "/" && group.StartsWith(mountRoot, StringComparison.Ordinal) ? group[mountRoot.Length..] : group;
        var top = root.TrimEnd('/') + point;
        long? smallest = Read(Path.Combine(top, file));
        var folder = top;
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            folder = Path.Combine(folder, name);
            if (Read(Path.Combine(folder, file)) is { } limit)
            {
                smallest = Math.Min(smallest ?? limit, limit);
            }
        }

        return smallest;
    }

    private static long? Read(string file) =>
        File.Exists(file) && long.TryParse(File.ReadAllText(file).Trim(), CultureInfo.InvariantCulture, out var limit) && limit is > 0 and < NoLimit ? limit : null;
}
