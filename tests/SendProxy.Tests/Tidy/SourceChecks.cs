using System.Text.RegularExpressions;

namespace SendProxy.Tests.Tidy;

/// <summary>Checks over source text that no analyzer makes. Each finding names the place and the remedy.</summary>
internal static partial class SourceChecks
{
    public const int FileLinesMax = 300;
    public const int TestFileLinesMax = 400;
    public const int RoomFilesMax = 20;
    public const int MethodLinesMax = 70;

    /// <summary>Rooms that are larger still. A row is deleted when its room is split, and none is added.</summary>
    public static readonly IReadOnlyList<string> LargeRooms =
    [
    ];

    // It puts the rooms together and may use all; none may use it.
    private const string Composition = "Composition";

    // As docs/ARCHITECTURE.md draws them.
    private static readonly Dictionary<string, string[]> Uses = new(StringComparer.Ordinal)
    {
        ["Upstreams"] = [],
        ["Sending"] = ["Upstreams", "Sqlite", "Redis"],
        ["Egress"] = ["Sending", "Upstreams", "Outbox", "Hosting"],
        ["Queueing"] = ["Sqlite", "Redis"],
        ["Outbox"] = ["Sending", "Queueing", "Upstreams", "Hosting"],
        ["Receiving"] = ["Queueing", "Hosting"],
        ["FanOut"] = ["Queueing", "Upstreams", "Hosting"],
        ["Deliveries"] = ["Queueing", "Sqlite", "Redis"],
        ["Admin"] = ["Hosting", "Sending", "Upstreams", "Queueing", "Egress", "Receiving", "FanOut", "Outbox"],
        ["Cli"] = ["Hosting", "Admin"],
    };

    private static readonly string[] UsedByAll = ["Errors", "Configuration", "Metrics", "Secrets", "Telemetry", "Overload", "Workers"];

    private static readonly string[] Rooms =
        [.. Uses.Keys, .. UsedByAll, "Hosting", "Sqlite", "Redis", Composition];

    // Who may take a secret out of its wrapper.
    private static readonly string[] MayReveal = ["Upstreams/Credentials/Credential.cs", "Upstreams/Responses/Scrubber.cs", "Secrets/Secret.cs", "Secrets/SigningKey.cs", "Redis/RedisConnector.cs"];

    public static IEnumerable<string> Shape(string path, string[] lines)
    {
        var most = path.StartsWith("src/", StringComparison.Ordinal) ? FileLinesMax : TestFileLinesMax;
        if (lines.Length > most)
        {
            yield return $"{path}: {lines.Length} lines, limit {most}; split it";
        }

        for (var i = 1; i < lines.Length; i++)
        {
            if (lines[i].TrimStart().StartsWith("#region", StringComparison.Ordinal))
            {
                yield return $"{path}:{i + 1}: split the type instead of #region";
            }

            // Members open at column 4, those of a nested type at 8: namespaces are file-scoped and braces on their own line.
            var indent = lines[i].Length - 1;
            if (lines[i].TrimStart() == "{" && indent is 4 or 8 && !TypeHead().IsMatch(lines[i - 1]))
            {
                var length = Array.FindIndex(lines, i, l => l.StartsWith(new string(' ', indent) + "}", StringComparison.Ordinal)) - i - 1;
                if (length > MethodLinesMax)
                {
                    yield return $"{path}:{i}: {length} lines, limit {MethodLinesMax}; take a leaf out";
                }
            }
        }
    }

    public static IEnumerable<string> Arrows(string path, string[] lines)
    {
        if (Room(path) is not { } room || room == Composition)
        {
            yield break;
        }

        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].TrimStart().StartsWith("//", StringComparison.Ordinal))
            {
                continue;
            }

            foreach (Match match in Used().Matches(lines[i]))
            {
                var used = match.Groups[1].Value;
                if (used != room && Rooms.Contains(used) && !UsedByAll.Contains(used) && !Uses.GetValueOrDefault(room, []).Contains(used))
                {
                    yield return $"{path}:{i + 1}: {room} may not use {used}; see docs/ARCHITECTURE.md";
                }
            }
        }
    }

    /// <returns>Each folder with too many files.</returns>
    public static IEnumerable<string> Crowded(IEnumerable<string> paths) =>
        from path in paths
        group path by Path.GetDirectoryName(path)! into folder
        where folder.Count() > RoomFilesMax
        select $"{folder.Key}: {folder.Count()} files, limit {RoomFilesMax}";

    public static IEnumerable<string> Reveals(string path, string[] lines) =>
        lines.Select((line, i) => (line, i))
            .Where(x => x.line.Contains(".Reveal()", StringComparison.Ordinal) && !MayReveal.Any(m => path.EndsWith(m, StringComparison.Ordinal)))
            .Select(x => $"{path}:{x.i + 1}: only {string.Join(", ", MayReveal)} may reveal a secret");

    public static IEnumerable<string> Marks(string path, string[] lines) =>
        lines.Select((line, i) => (line, i))
            .Where(x => Mark().IsMatch(x.line))
            .Select(x => $"{path}:{x.i + 1}: file an issue instead of leaving a mark");

    private static string? Room(string path)
    {
        var parts = path.Split('/');
        return parts.Length > 3 && parts[0] == "src" && parts[1] == "SendProxy" ? parts[2] : null;
    }

    [GeneratedRegex(@"\b(class|record|struct|interface|enum)\b|^    where |TheoryData<")]
    private static partial Regex TypeHead();

    [GeneratedRegex(@"(?<![\w.])(?:SendProxy\.)?([A-Z]\w+)\.[A-Z]|using SendProxy\.(?<1>[A-Z]\w+)")]
    private static partial Regex Used();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX)\b")]
    private static partial Regex Mark();
}
