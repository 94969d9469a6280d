using System.Buffers;
using System.Text;

namespace SendProxy.Egress.Admission;

/// <summary>
/// Which request targets pass: origin form (RFC 9112, 3.2.1) with what well-behaved clients put into it. What passes is sent
/// unchanged. A target that two servers on the way could take for two different paths does not pass: a path with escapes is
/// also judged by how it reads once they are undone (<see cref="Readings"/>).
/// </summary>
internal static class TargetValidator
{
    // Servers and gateways undo escapes once; some do it again behind another.
    private const int MaxDecodings = 2;

    // RFC 3986, 3.3, without ; which servers cut off or keep. WHATWG URLs (Node, Deno, browsers) leave | and ^ as they are.
    private static readonly SearchValues<char> PathChars =
        SearchValues.Create("/-._~!$&'()*+,=:@|^%0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <param name="maxLength">Characters of path and query.</param>
    /// <returns>Null for a good target, else what is wrong with it.</returns>
    public static string? Check(string target, int maxLength)
    {
        if (target.Length > maxLength)
        {
            return $"The target has {target.Length} characters, more than listen.maxTarget ({maxLength}).";
        }

        if (target.Length == 0 || target[0] != '/')
        {
            return "The target must be in origin form: a path that starts with /.";
        }

        var query = target.IndexOf('?', StringComparison.Ordinal);
        var path = query < 0 ? target : target[..query];
        return CheckPath(path) ?? (query < 0 ? null : CheckQuery(target.AsSpan(query + 1)));
    }

    /// <summary>How a server may read the path beside as it is written: escapes undone once and twice, \ as /, and what follows a ; cut off.</summary>
    /// <returns>Nothing for a path without escapes.</returns>
    public static IEnumerable<string> Readings(string path)
    {
        for (var i = 0; i < MaxDecodings && path.Contains('%', StringComparison.Ordinal); i++)
        {
            path = Undo(path);
            yield return WithoutParameters(path.Replace('\\', '/'));
        }
    }

    private static string? CheckPath(string path)
    {
        if (path.AsSpan().IndexOfAnyExcept(PathChars) is >= 0 and var at)
        {
            return path[at] == ';'
                ? "The path has a ;, which some servers cut off with what follows it and some keep."
                : path[at] is > ' ' and < '\x7f'
                    ? $"The path has a {path[at]}, which must be written as %{(int)path[at]:X2}."
                    : "The path has a space, a control character or a character that is not ASCII, which must be percent-encoded.";
        }

        if (CheckEscapes(path, isQuery: false) is { } wrong)
        {
            return wrong;
        }

        return CheckSegments(path) ?? Readings(path).Select(CheckSegments).FirstOrDefault(w => w is not null);
    }

    // A query is data: no server finds its resource by it in another way than the one before it. Only what ends a target is refused,
    // and what cannot stand in one.
    private static string? CheckQuery(ReadOnlySpan<char> query)
    {
        if (query.IndexOfAnyExceptInRange('!', '~') >= 0)
        {
            return "The query has a space, a control character or a character that is not ASCII, which must be percent-encoded.";
        }

        return query.Contains('#') ? "The query has a #, which must be written as %23." : CheckEscapes(query, isQuery: true);
    }

    private static string? CheckEscapes(ReadOnlySpan<char> text, bool isQuery)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                continue;
            }

            if (!TryByte(text[i..], out var value))
            {
                return "The target has a % without two hex digits; a % itself is written as %25.";
            }

            // Texts in a query may have several lines.
            if (value is 0x7f or < 0x20 && !(isQuery && value is (byte)'\t' or (byte)'\n' or (byte)'\r'))
            {
                return "The target encodes a control character.";
            }
        }

        return null;
    }

    private static string? CheckSegments(string path)
    {
        foreach (var range in path.AsSpan(1).Split('/'))
        {
            var segment = path.AsSpan(1)[range];
            if (segment is "." or "..")
            {
                return "The path has a . or .. segment, or one once its escapes are undone.";
            }

            if (segment.IsEmpty && range.End.Value != path.Length - 1)
            {
                return "The path has an empty segment (//), or one once its escapes are undone.";
            }
        }

        return null;
    }

    private static string Undo(string path)
    {
        var plain = new StringBuilder(path.Length);
        for (var i = 0; i < path.Length; i++)
        {
            if (path[i] == '%' && TryByte(path.AsSpan(i), out var value))
            {
                plain.Append((char)value);
                i += 2;
            }
            else
            {
                plain.Append(path[i]);
            }
        }

        return plain.ToString();
    }

    private static string WithoutParameters(string path) => path.Contains(';', StringComparison.Ordinal)
        ? string.Join('/', path.Split('/').Select(s => s.Split(';')[0]))
        : path;

    private static bool TryByte(ReadOnlySpan<char> escape, out byte value)
    {
        value = 0;
        return escape.Length >= 3 && byte.TryParse(escape[1..3], System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out value);
    }
}
