using System.Text.Json;

namespace SendProxy.Configuration;

/// <summary>RFC 6901, with <c>*</c> as a segment for every element of an array (ours).</summary>
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

    /// <summary>The first value the pointer names.</summary>
    /// <returns>Null where there is none.</returns>
    public JsonElement? Find(JsonElement root) => FindAll(root).Cast<JsonElement?>().FirstOrDefault();

    /// <summary>Every value the pointer names: several where it has a <c>*</c>.</summary>
    public IEnumerable<JsonElement> FindAll(JsonElement root) => Walk(root, 0);

    public override string ToString() => Text;

    private IEnumerable<JsonElement> Walk(JsonElement at, int depth)
    {
        if (depth == _segments.Length)
        {
            return [at];
        }

        var segment = _segments[depth];
        return at.ValueKind switch
        {
            JsonValueKind.Object when at.TryGetProperty(segment, out var member) => Walk(member, depth + 1),
            JsonValueKind.Array when segment == "*" => at.EnumerateArray().SelectMany(e => Walk(e, depth + 1)),
            JsonValueKind.Array when int.TryParse(segment, out var i) && i >= 0 && i < at.GetArrayLength() =>
                Walk(at[i], depth + 1),
            _ => [],
        };
    }
}
