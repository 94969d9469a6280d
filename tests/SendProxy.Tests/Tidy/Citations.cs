using System.Text.RegularExpressions;

namespace SendProxy.Tests.Tidy;

/// <summary>What text cites must be in the repository: a reader has nothing else.</summary>
internal static partial class Citations
{
    private static readonly string[] Folders = ["src", "tests", "docs", "eng", "helm", "bench", "config", ".ci"];
    private static readonly string[] Texts = [".md", ".cs", ".sh", ".yaml", ".yml", ".lua", ".sql", ".tpl", ".txt", ".props", ".csproj"];

    /// <returns>Every text of the repository that people write, with its path.</returns>
    public static IEnumerable<(string Path, string[] Lines)> AllTexts() =>
        Files().Where(p => Texts.Contains(Path.GetExtension(p))).Select(p => (p, File.ReadAllLines(Path.Combine(SourceTree.Root, p))));

    /// <returns>Every file of the repository, relative to its root.</returns>
    public static string[] Files() =>
    [
        .. Folders.Select(f => Path.Combine(SourceTree.Root, f)).Where(Directory.Exists)
            .SelectMany(f => Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories))
            .Concat(Directory.EnumerateFiles(SourceTree.Root))
            .Select(p => Path.GetRelativePath(SourceTree.Root, p)),
    ];

    /// <param name="files">What may be cited, relative to the root.</param>
    public static IEnumerable<string> Missing(string path, string[] lines, IReadOnlyCollection<string> files)
    {
        // What was renamed since stays in the history under its old name.
        var isHistory = Path.GetFileName(path) == "CHANGELOG.md";
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].Contains("../" + "shared", StringComparison.Ordinal))
            {
                yield return $"{path}:{i + 1}: ../" + "shared is not part of the repository; say what holds in its own words";
            }

            foreach (Match match in Page().Matches(lines[i]))
            {
                if (!IsThere(match.Groups[1].Value, files) && !match.Value.Contains("://", StringComparison.Ordinal))
                {
                    yield return $"{path}:{i + 1}: {match.Groups[1].Value} is not in the repository; say what holds in its own words, in docs/";
                }
            }

            foreach (Match match in Decision().Matches(lines[i]))
            {
                if (!files.Any(f => f.StartsWith($"docs/decisions/{match.Groups[1].Value}-", StringComparison.Ordinal)))
                {
                    yield return $"{path}:{i + 1}: there is no decision {match.Groups[1].Value}";
                }
            }

            foreach (Match match in !isHistory && path.EndsWith(".md", StringComparison.Ordinal) ? Source().Matches(lines[i]).AsEnumerable() : [])
            {
                if (!IsThere(match.Groups[1].Value, files))
                {
                    yield return $"{path}:{i + 1}: there is no file {match.Groups[1].Value}; was it renamed?";
                }
            }
        }
    }

    private static bool IsThere(string cited, IReadOnlyCollection<string> files)
    {
        var plain = cited.TrimStart('.', '/');
        return files.Any(f => f == plain || f.EndsWith("/" + plain, StringComparison.Ordinal));
    }

    // A page, unless it is part of an address: https://example.com/a.md.
    [GeneratedRegex(@"(?<![\w:/.-])((?:\.{1,2}/)?(?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_-]+\.md)\b")]
    private static partial Regex Page();

    [GeneratedRegex(@"docs/decisions/(\d{4})")]
    private static partial Regex Decision();

    // In code marks and with a folder: `Sending/Sender.cs`.
    [GeneratedRegex(@"`((?:[A-Za-z0-9_.-]+/)+[A-Za-z0-9_.-]+\.(?:cs|lua|sql|sh|tpl))`")]
    private static partial Regex Source();
}
