namespace SendProxy.Configuration;

/// <summary>RFC 6901, with <c>*</c> as a segment for every element of an array (ours). <see cref="JsonPointerReader"/> follows it.</summary>
internal sealed class JsonPointer
{
    private readonly string[] _segments;

    private JsonPointer(string text, string[] segments)
    {
        Text = text;
        _segments = segments;
    }

    /// <summary>Its parts, unescaped.</summary>
    public IReadOnlyList<string> Segments => _segments;

    /// <summary>As written: <c>/error/code</c>.</summary>
    public string Text { get; }

    /// <returns>False for a text that does not start with a slash or has a bad escape (<c>~</c> without 0 or 1).</returns>
    public static bool TryParse(string text, out JsonPointer? pointer)
    {
        pointer = null;
        if (text.Length is 0 or > 256 || text[0] != '/')
        {
            return false;
        }

        var segments = text[1..].Split('/');
        for (var i = 0; i < segments.Length; i++)
        {
            var bare = segments[i].Replace("~0", "", StringComparison.Ordinal).Replace("~1", "", StringComparison.Ordinal);
            if (bare.Contains('~', StringComparison.Ordinal))
            {
                return false;
            }

            segments[i] = segments[i].Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
        }

        pointer = new JsonPointer(text, segments);
        return true;
    }

    public override string ToString() => Text;
}
