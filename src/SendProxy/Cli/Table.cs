using System.Globalization;
using System.Text;

namespace SendProxy.Cli;

/// <summary>Columns as wide as their widest cell, two spaces between them: for people and for awk.</summary>
internal static class Table
{
    public static string Write(string[] head, IReadOnlyList<string[]> rows)
    {
        var widths = head.Select((h, i) => rows.Select(r => r[i].Length).Append(h.Length).Max()).ToArray();
        var text = new StringBuilder();
        foreach (var row in (string[][])[head, .. rows])
        {
            var line = string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i])));
            text.Append(line.TrimEnd()).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>A point in time as a cell: UTC, to the second; a hyphen for null.</summary>
    public static string Time(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture) ?? "-";
}
