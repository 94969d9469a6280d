using System.Text;

namespace SendProxy.Receiving;

/// <summary>The signed content as text with placeholders: <c>{id}.{timestamp}.{body}</c>.</summary>
internal sealed class SigningTemplate
{
    private static readonly string[] Names = ["id", "timestamp", "url", "body"];

    private readonly (string? Name, byte[] Text)[] _parts;

    private SigningTemplate((string? Name, byte[] Text)[] parts)
    {
        _parts = parts;
    }

    public bool HasTimestamp => Has("timestamp");

    public bool HasId => Has("id");

    public bool HasUrl => Has("url");

    /// <summary>The character behind <c>{id}</c>. An id that contains it could move bytes from one part to the next. 0: there is none.</summary>
    public char AfterId => Array.FindIndex(_parts, p => p.Name == "id") is >= 0 and var at && at + 1 < _parts.Length
        && _parts[at + 1] is { Name: null, Text: [var first, ..] } ? (char)first : '\0';

    /// <returns>False for other placeholders, lone braces, or none or several <c>{body}</c>.</returns>
    public static bool TryParse(string text, out SigningTemplate template)
    {
        var parts = new List<(string?, byte[])>();
        var known = true;
        for (var at = 0; at < text.Length;)
        {
            var open = text.IndexOf('{', at);
            if (open != at)
            {
                var literal = text[at..(open < 0 ? text.Length : open)];
                known &= !literal.Contains('}', StringComparison.Ordinal);
                parts.Add((null, Encoding.UTF8.GetBytes(literal)));
                at += literal.Length;
                continue;
            }

            var close = text.IndexOf('}', open);
            var name = close < 0 ? "" : text[(open + 1)..close];
            known &= Names.Contains(name);
            parts.Add((name, []));
            at = close < 0 ? text.Length : close + 1;
        }

        template = new SigningTemplate([.. parts]);
        return known && parts.Count(p => p.Item1 == "body") == 1;
    }

    /// <returns>The parts to sign, in order; the body is not copied.</returns>
    public ReadOnlyMemory<byte>[] Fill(SignedHead head, string url, ReadOnlyMemory<byte> body) => Array.ConvertAll(
        _parts,
        part => part.Name switch
        {
            "id" => Encoding.UTF8.GetBytes(head.Id ?? ""),
            "timestamp" => Encoding.UTF8.GetBytes(head.Timestamp ?? ""),
            "url" => Encoding.UTF8.GetBytes(url),
            "body" => body,
            _ => part.Text.AsMemory(),
        });

    private bool Has(string name) => Array.Exists(_parts, p => p.Name == name);
}
