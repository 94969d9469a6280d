using System.Text.Json;

namespace SendProxy.Configuration;

/// <summary>One text out of JSON without a document of it: what <see cref="JsonPointer.Find"/> finds, if it is a text.</summary>
internal static class JsonText
{
    /// <returns>Null where the JSON is none, has no such value, or where it is no text.</returns>
    public static string? Find(ReadOnlySpan<byte> json, JsonPointer pointer)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            var found = reader.Read() ? Walk(ref reader, pointer.Segments, 0) : default;

            // To the end: what is cut off or has something behind it is no JSON.
            while (reader.Read())
            {
            }

            return found.Text;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: half of a surrogate pair.
            return null;
        }
    }

    // Leaves the reader at the value's last token.
    private static (bool IsThere, string? Text) Walk(ref Utf8JsonReader reader, IReadOnlyList<string> path, int depth)
    {
        if (depth == path.Count)
        {
            var text = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
            reader.Skip();
            return (true, text);
        }

        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return Member(ref reader, path, depth);
            case JsonTokenType.StartArray:
                return Element(ref reader, path, depth);
            default:
                return default;
        }
    }

    // Of members that stand twice the last one counts.
    private static (bool IsThere, string? Text) Member(ref Utf8JsonReader reader, IReadOnlyList<string> path, int depth)
    {
        var found = default((bool IsThere, string? Text));
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isIt = reader.ValueTextEquals(path[depth]);
            reader.Read();
            if (isIt)
            {
                found = Walk(ref reader, path, depth + 1);
            }
            else
            {
                reader.Skip();
            }
        }

        return found;
    }

    private static (bool IsThere, string? Text) Element(ref Utf8JsonReader reader, IReadOnlyList<string> path, int depth)
    {
        var found = default((bool IsThere, string? Text));
        var isAny = path[depth] == "*";
        var at = int.TryParse(path[depth], out var number) ? number : -1;
        for (var i = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; i++)
        {
            if (!found.IsThere && (isAny || i == at))
            {
                found = Walk(ref reader, path, depth + 1);
            }
            else
            {
                reader.Skip();
            }
        }

        return found;
    }
}
