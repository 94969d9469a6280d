using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace SendProxy.Configuration;

/// <summary>
/// A YAML parser that ends at a depth and at an alias of nothing, and remembers where it was when the parser below it throws.
/// </summary>
internal sealed class BoundedParser(IParser inner, int maxDepth) : IParser
{
    public const string TooDeep = "nested too deep";
    public const string UnknownAlias = "the alias *";

    private readonly HashSet<AnchorName> _anchors = [];
    private int _depth;

    /// <summary>Where the last thing that could be read ends.</summary>
    public Mark Last { get; private set; }

    public ParsingEvent? Current => inner.Current;

    public bool MoveNext()
    {
        if (!inner.MoveNext())
        {
            return false;
        }

        var current = inner.Current!;
        Last = current.End;
        _depth += current.NestingIncrease;
        if (current is AnchorAlias alias && !_anchors.Contains(alias.Value))
        {
            throw new YamlException(current.Start, current.End, $"{UnknownAlias}{Spelling.Shown(alias.Value.Value)} stands for nothing; no value above has the anchor");
        }

        if (current is NodeEvent { Anchor.IsEmpty: false } node)
        {
            _anchors.Add(node.Anchor);
        }

        return _depth <= maxDepth ? true : throw new YamlException(current.Start, current.End, TooDeep);
    }
}
