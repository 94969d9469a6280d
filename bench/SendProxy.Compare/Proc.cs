using System.Globalization;

namespace SendProxy.Compare;

/// <summary>What /proc tells of a process and all that it started.</summary>
internal static class Proc
{
    private const double TicksPerSecond = 100; // sysconf(_SC_CLK_TCK), 100 on every Linux of today
    private const double PageMiB = 4096.0 / (1 << 20);

    /// <summary>The process and its children, theirs included.</summary>
    public static IReadOnlyList<int> Tree(int root)
    {
        var parents = Directory.EnumerateDirectories("/proc").Select(d => int.TryParse(Path.GetFileName(d), out var id) ? id : 0).Where(id => id > 0)
            .Select(id => (Id: id, Fields: Fields(id))).Where(p => p.Fields.Length > 0).ToLookup(p => int.Parse(p.Fields[1], CultureInfo.InvariantCulture), p => p.Id);
        var tree = new List<int> { root };
        for (var i = 0; i < tree.Count; i++)
        {
            tree.AddRange(parents[tree[i]]);
        }

        return tree;
    }

    /// <summary>User and system time so far.</summary>
    public static TimeSpan Cpu(IEnumerable<int> ids) => TimeSpan.FromSeconds(ids.Select(Fields).Where(f => f.Length > 12).Sum(
        f => (double.Parse(f[11], CultureInfo.InvariantCulture) + double.Parse(f[12], CultureInfo.InvariantCulture)) / TicksPerSecond));

    /// <summary>Resident memory; pages that processes share count for each.</summary>
    public static double RssMiB(IEnumerable<int> ids) => ids.Select(Fields).Where(f => f.Length > 21).Sum(f => double.Parse(f[21], CultureInfo.InvariantCulture) * PageMiB);

    public static string LoadAverage() => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3));

    public static string Machine() =>
        $"{Environment.ProcessorCount} cores of {Line("/proc/cpuinfo", "model name")}, {Line("/proc/meminfo", "MemTotal")}, Linux {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}";

    // From the state on, which is field 0 here: what stands before it may hold blanks.
    private static string[] Fields(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string Line(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "?";
}
