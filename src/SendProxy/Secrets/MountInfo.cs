using System.Text.RegularExpressions;

namespace SendProxy.Secrets;

/// <summary>
/// Finds secrets that are mount points themselves. Kubernetes never updates a file mounted by <c>subPath</c>, and a rename on
/// the host does not reach one that Docker binds: a rotation would go unseen for ever.
/// </summary>
internal static partial class MountInfo
{
    private const string Own = "/proc/self/mountinfo";
    private const int MountPointField = 4;

    /// <returns>Those of <paramref name="paths"/> that are mount points; none where this cannot be known.</returns>
    public static IReadOnlyList<string> MountPoints(IReadOnlyList<string> paths)
    {
        try
        {
            return paths.Count == 0 || !File.Exists(Own) ? [] : MountPoints(File.ReadAllText(Own), paths);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Advice only.
            return [];
        }
    }

    /// <param name="mountInfo">Text in the form of proc(5): the fifth field of a line is the mount point, space and backslash in octal.</param>
    public static IReadOnlyList<string> MountPoints(string mountInfo, IReadOnlyList<string> paths)
    {
        var points = mountInfo.Split('\n').Select(l => l.Split(' ')).Where(f => f.Length > MountPointField)
            .Select(f => Octal().Replace(f[MountPointField], m => ((char)Convert.ToInt32(m.Groups[1].Value, 8)).ToString()))
            .ToHashSet(StringComparer.Ordinal);
        return [.. paths.Where(p => points.Contains(Path.GetFullPath(p)))];
    }

    [GeneratedRegex(@"\\([0-7]{3})")]
    private static partial Regex Octal();
}
