namespace SendProxy.Egress.Admission;

/// <summary>
/// The one form a request target may have: origin form (RFC 9112, 3.2.1), each path spelled in one way only. What passes is
/// matched and sent unchanged, so that no other parser on the way reads another path from it.
/// </summary>
internal static class TargetValidator
{
    public const int MaxLength = 4096;

    /// <returns>Null for a good target, else what is wrong with it.</returns>
    public static string? Check(string target)
    {
        if (target.Length is 0 or > MaxLength)
        {
            return $"The target is empty or longer than {MaxLength} characters.";
        }

        if (target[0] != '/')
        {
            return "The target must be in origin form: a path that starts with /.";
        }

        var query = target.IndexOf('?', StringComparison.Ordinal);
        var path = query < 0 ? target.AsSpan() : target.AsSpan(0, query);
        return Bad(path, inPath: true) ?? (query < 0 ? null : Bad(target.AsSpan(query + 1), inPath: false)) ?? Segments(path);
    }

    private static string? Bad(ReadOnlySpan<char> text, bool inPath)
    {
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c is <= ' ' or >= '\x7f' or '#' or '"' or '<' or '>' or '\\' or '^' or '`' or '{' or '|' or '}')
            {
                return "The target has a character that must be percent-encoded or does not belong there.";
            }

            if (inPath && c == ';')
            {
                return "The path has a ;, which servers read in different ways.";
            }

            if (c != '%')
            {
                continue;
            }

            if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
            {
                return "The target has a % without two hex digits.";
            }

            var value = (char)((Convert.ToInt32(text[i + 1].ToString(), 16) << 4) | Convert.ToInt32(text[i + 2].ToString(), 16));
            if (value is < ' ' or '\x7f' || (inPath && value is '/' or '\\' or '%' or '.' or ';'))
            {
                return "The target encodes a character that changes how the path is read.";
            }

            if (inPath && (char.IsAsciiLetterOrDigit(value) || value is '-' or '_' or '~'))
            {
                return "The path encodes a character that needs no encoding; write it plainly.";
            }
        }

        return null;
    }

    private static string? Segments(ReadOnlySpan<char> path)
    {
        foreach (var range in path[1..].Split('/'))
        {
            var segment = path[1..][range];
            if (segment is "." or "..")
            {
                return "The path has a . or .. segment.";
            }

            if (segment.IsEmpty && range.End.Value != path.Length - 1)
            {
                return "The path has an empty segment (//).";
            }
        }

        return null;
    }
}
