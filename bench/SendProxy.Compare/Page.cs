using System.Text;

namespace SendProxy.Compare;

/// <summary>What the run says: printed as it comes, and written as a page of Markdown at the end.</summary>
internal sealed class Page
{
    private readonly StringBuilder _text = new();

    public void Heading(string text) => Line($"\n## {text}");

    public void Note(string text) => Line($"\n{text}");

    public void Line(string text)
    {
        Console.WriteLine(text);
        _text.AppendLine(text);
    }

    public void Table(string[] head, IEnumerable<string[]> rows)
    {
        var all = rows.Prepend(head).ToArray();
        var widths = Enumerable.Range(0, head.Length).Select(i => all.Max(r => r[i].Length)).ToArray();
        string Row(string[] cells) => "| " + string.Join(" | ", cells.Select((c, i) => i < 2 ? c.PadRight(widths[i]) : c.PadLeft(widths[i]))) + " |";
        Line("");
        Line(Row(head));
        Line("|" + string.Join("|", widths.Select((w, i) => i < 2 ? new string('-', w + 2) : new string('-', w + 1) + ":")) + "|");
        foreach (var row in all.Skip(1))
        {
            Line(Row(row));
        }
    }

    public void Write(string file) => File.WriteAllText(file, _text.ToString());
}
