using System.Text;
using System.Text.Json;
using SendProxy.Configuration;

namespace SendProxy.Sending.Idempotency;

/// <summary>Where a key is put into a body, and the bytes that are put there.</summary>
internal readonly record struct BodyInsertion(int At, ReadOnlyMemory<byte> Insert)
{
    public static readonly BodyInsertion None = new(0, default);
}

/// <summary>
/// Writes an idempotency key into a JSON body for vendors that take it there (Brevo: <c>/headers/idempotencyKey</c>). The other
/// bytes stay as they are: a signature or a comparison over them holds.
/// </summary>
internal static class IdempotencyKeyWriter
{
    private const int MaxDepth = 64;

    /// <returns>Where to put what; None where the body has the key already; null where the body is no JSON object of that shape.</returns>
    public static BodyInsertion? Splice(ReadOnlySpan<byte> body, JsonPointer pointer, string key)
    {
        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MaxDepth });
            var found = reader.Read() && reader.TokenType == JsonTokenType.StartObject ? Descend(ref reader, pointer.Segments, key) : null;

            // To the end: what is cut off or has something behind it is no JSON, and must not be made into some.
            while (found is not null && reader.Read())
            {
            }

            return found;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static BodyInsertion? Descend(ref Utf8JsonReader reader, IReadOnlyList<string> path, string key)
    {
        for (var depth = 0; ; depth++)
        {
            var open = (int)reader.TokenStartIndex + 1;
            var isEmpty = true;
            var isFound = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                isEmpty = false;
                isFound = reader.ValueTextEquals(path[depth]);
                reader.Read();
                if (isFound)
                {
                    break;
                }

                reader.Skip();
            }

            if (!isFound)
            {
                return new BodyInsertion(open, Member(path, depth, key, isEmpty));
            }

            if (depth == path.Count - 1)
            {
                return reader.TokenType == JsonTokenType.String ? BodyInsertion.None : null;
            }

            if (reader.TokenType != JsonTokenType.StartObject)
            {
                return null;
            }
        }
    }

    private static byte[] Member(IReadOnlyList<string> path, int from, string key, bool isEmpty)
    {
        var text = new StringBuilder();
        for (var i = from; i < path.Count; i++)
        {
            text.Append(i > from ? "{" : "").Append('"').Append(JsonEncodedText.Encode(path[i])).Append("\":");
        }

        text.Append('"').Append(JsonEncodedText.Encode(key)).Append('"').Append('}', path.Count - 1 - from).Append(isEmpty ? "" : ",");
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
