using System.Text;
using System.Text.Json;

namespace SendProxy.Configuration;

/// <summary>How far a pointer leads into a text of JSON.</summary>
/// <param name="Depth">How many of its segments lead somewhere; all of them: the value is there.</param>
/// <param name="Kind">What stands there; None where the text is no JSON.</param>
/// <param name="Start">Where that begins, in bytes.</param>
/// <param name="End">Where it has ended.</param>
internal readonly record struct JsonLocation(int Depth, JsonTokenType Kind, int Start, int End);

/// <summary>
/// The one reader of JSON paths: it reads the bytes once and builds no document. Of members that stand twice the last one counts, as
/// for most parsers. Where two parsers could read differently what a limit depends on, Egress.Bodies.JsonBodyFields refuses instead.
/// </summary>
internal ref struct JsonPointerReader
{
    private const int MaxDepth = 64;

    private readonly IReadOnlyList<string> _path;
    private Utf8JsonReader _reader;

    private JsonPointerReader(ReadOnlySpan<byte> json, JsonPointer pointer)
    {
        _path = pointer.Segments;
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
    }

    /// <summary>The first value that the pointer names, or how far it leads. Never throws.</summary>
    public static JsonLocation Locate(ReadOnlySpan<byte> json, JsonPointer pointer)
    {
        try
        {
            return new JsonPointerReader(json, pointer).Locate();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a name with half of a surrogate pair.
            return default;
        }
    }

    /// <returns>The text that the pointer names; null where the JSON is none, has no such value, or where it is no text.</returns>
    public static string? Text(ReadOnlySpan<byte> json, JsonPointer pointer) =>
        Locate(json, pointer) is { Kind: JsonTokenType.String } at && at.Depth == pointer.Segments.Count ? Text(json[at.Start..at.End]) : null;

    /// <returns>As <see cref="Text(ReadOnlySpan{byte}, JsonPointer)"/>; a number, true, false and null as they are written.</returns>
    public static string? Scalar(ReadOnlySpan<byte> json, JsonPointer pointer, out JsonTokenType kind)
    {
        var at = Locate(json, pointer);
        kind = at.Kind;
        return at.Depth < pointer.Segments.Count ? null : at.Kind switch
        {
            JsonTokenType.String => Text(json[at.Start..at.End]),
            JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null => Encoding.UTF8.GetString(json[at.Start..at.End]),
            _ => null,
        };
    }

    private static string? Text(ReadOnlySpan<byte> value)
    {
        try
        {
            var reader = new Utf8JsonReader(value);
            reader.Read();
            return reader.GetString();
        }
        catch (InvalidOperationException)
        {
            // Escapes of half a surrogate pair are valid JSON and no text.
            return null;
        }
    }

    private JsonLocation Locate()
    {
        _reader.Read();
        var found = Walk(0);

        // To the end: what is cut off or has something behind it is no JSON.
        while (_reader.Read())
        {
        }

        return found;
    }

    // Leaves the reader at the value's last token.
    private JsonLocation Walk(int depth)
    {
        var (kind, start) = (_reader.TokenType, (int)_reader.TokenStartIndex);
        var deeper = default(JsonLocation);
        if (depth < _path.Count && kind == JsonTokenType.StartObject)
        {
            deeper = Member(depth);
        }
        else if (depth < _path.Count && kind == JsonTokenType.StartArray)
        {
            deeper = Element(depth);
        }
        else
        {
            _reader.Skip();
        }

        return deeper.Depth > depth ? deeper : new JsonLocation(depth, kind, start, (int)_reader.BytesConsumed);
    }

    private JsonLocation Member(int depth)
    {
        var found = default(JsonLocation);
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            var isIt = _reader.ValueTextEquals(_path[depth]);
            _reader.Read();
            if (isIt)
            {
                found = Walk(depth + 1);
            }
            else
            {
                _reader.Skip();
            }
        }

        return found;
    }

    private JsonLocation Element(int depth)
    {
        var found = default(JsonLocation);
        var isAny = _path[depth] == "*";
        var at = int.TryParse(_path[depth], out var number) ? number : -1;
        for (var i = 0; _reader.Read() && _reader.TokenType != JsonTokenType.EndArray; i++)
        {
            if (found.Depth < _path.Count && (isAny || i == at))
            {
                found = Walk(depth + 1);
            }
            else
            {
                _reader.Skip();
            }
        }

        return found;
    }
}
