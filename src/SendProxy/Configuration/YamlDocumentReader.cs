using System.Runtime.CompilerServices;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace SendProxy.Configuration;

/// <summary>
/// Reads one YAML document. Whatever the parser makes of the text, the outcome is a mapping or one error with a position and a remedy:
/// YamlDotNet throws more types than <see cref="YamlException"/>, and nesting without a bound would overflow the stack.
/// </summary>
internal static class YamlDocumentReader
{
    private const int MaxDepth = 64;

    // What one document may grow to when each alias is replaced by what it stands for.
    private const int MaxNodes = 200_000;

    private const string Unreadable =
        "is not valid YAML here; look at the indentation, and that each quote, bracket and brace that is opened before this place is closed";

    /// <returns>The document's mapping; or null and the error.</returns>
    public static (YamlMappingNode? Mapping, SettingsError? Error) Read(string text, string file)
    {
        var parser = new BoundedParser(new Parser(new StringReader(text)), MaxDepth);
        try
        {
            var stream = new YamlStream();
            stream.Load(parser);
            if (stream.Documents.Count != 1 || stream.Documents[0].RootNode is not YamlMappingNode mapping)
            {
                return (null, new SettingsError(file, 1, 1, "", stream.Documents.Count > 1
                    ? "holds several YAML documents; put all settings into one"
                    : "must be a YAML mapping that starts with version: 1"));
            }

            return Expanded(mapping, new(ReferenceEqualityComparer.Instance), new(ReferenceEqualityComparer.Instance)) <= MaxNodes
                ? (mapping, null)
                : (null, At(file, mapping.Start, $"the aliases of this file (*name) stand for more than {MaxNodes} values, or one stands inside of itself; write the values out"));
        }
        catch (YamlException e)
        {
            // An exception of the composer stands at the beginning of the file, wherever its cause is.
            return (null, Explain(text, file, e.Start.Index > 0 ? e.Start : parser.Last, e.Message));
        }
#pragma warning disable CA1031 // The parser's other exceptions are undocumented; each of them means that the text is not readable.
        catch (Exception e) when (e is not OutOfMemoryException)
#pragma warning restore CA1031
        {
            return (null, Explain(text, file, parser.Last, ""));
        }
    }

    private static SettingsError Explain(string text, string file, Mark at, string message)
    {
        // YamlDotNet reports a tab in the indentation at a place far from it, and this is the most frequent cause.
        if (IndentingTab(text) is { } tab)
        {
            return new SettingsError(file, tab.Line, tab.Column, "", "a tab stands in the indentation of this line, which YAML does not allow; use spaces");
        }

        return At(file, at,
            message.Contains("uplicate", StringComparison.Ordinal) ? "a key stands twice in one mapping; remove one of them"
            : message == BoundedParser.TooDeep ? $"is nested deeper than {MaxDepth} levels; no setting is"
            : message.StartsWith(BoundedParser.UnknownAlias, StringComparison.Ordinal) ? message
            : Unreadable);
    }

    private static SettingsError At(string file, Mark mark, string message) =>
        new(file, (int)Math.Max(1, mark.Line), (int)Math.Max(1, mark.Column), "", message);

    /// <returns>The first tab that stands before any other character of its line than spaces; null where there is none.</returns>
    private static (int Line, int Column)? IndentingTab(string text)
    {
        var line = 0;
        foreach (var content in text.AsSpan().EnumerateLines())
        {
            line++;
            var indentation = content[..(content.Length - content.TrimStart(" \t").Length)];
            if (indentation.Length < content.Length && indentation.IndexOf('\t') is >= 0 and var column)
            {
                return (line, column + 1);
            }
        }

        return null;
    }

    // How many nodes a walk meets that follows aliases; beyond the bound where a node holds itself. Both sets compare references,
    // since equality of nodes walks them. Aliases can make a chain as long as the file, so the stack is checked.
    private static long Expanded(YamlNode node, Dictionary<YamlNode, long> known, HashSet<YamlNode> path)
    {
        if (known.TryGetValue(node, out var count))
        {
            return count;
        }

        if (node is YamlScalarNode)
        {
            return 1;
        }

        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack() || !path.Add(node))
        {
            return MaxNodes + 1L;
        }

        var sum = 1L;
        var children = node is YamlMappingNode mapping ? mapping.Children.SelectMany(c => new[] { c.Key, c.Value }) : ((YamlSequenceNode)node).Children;
        foreach (var child in children)
        {
            sum = Math.Min(MaxNodes + 1L, sum + Expanded(child, known, path));
        }

        path.Remove(node);
        return known[node] = sum;
    }
}
