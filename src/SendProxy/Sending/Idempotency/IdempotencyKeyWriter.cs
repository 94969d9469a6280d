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
    /// <returns>Where to put what; None where the body has the key already; null where the body is no JSON object of that shape.</returns>
    public static BodyInsertion? Splice(ReadOnlySpan<byte> body, JsonPointer pointer, string key)
    {
        var path = pointer.Segments;
        var at = JsonPointerReader.Locate(body, pointer);
        return at switch
        {
            { Kind: JsonTokenType.String } when at.Depth == path.Count => BodyInsertion.None,
            { Kind: JsonTokenType.StartObject } when at.Depth < path.Count =>
                new BodyInsertion(at.Start + 1, Member(path, at.Depth, key, IsEmpty(body[(at.Start + 1)..(at.End - 1)]))),
            _ => null,
        };
    }

    private static bool IsEmpty(ReadOnlySpan<byte> members) => !members.ContainsAnyExcept(" \t\r\n"u8);

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
