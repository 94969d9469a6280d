using System.Text;
using System.Text.RegularExpressions;

namespace SendProxy.Upstreams;

/// <summary>
/// Finds what looks like a vendor's live key inside a caller's request. A search for the longest literal of the pattern comes
/// first, so that a request without one costs a vectorised scan.
/// </summary>
internal sealed class CredentialPattern
{
    private const int MinLiteral = 3;
    private const int KeyReach = 256;

    private readonly string _text;
    private readonly byte[] _literal;
    private readonly Regex _pattern;

    private CredentialPattern(string literal, Regex pattern)
    {
        // With options in it ("(?i)") the literal may stand in other spelling.
        _text = pattern.ToString().Contains("(?", StringComparison.Ordinal) ? "" : literal;
        _literal = Encoding.ASCII.GetBytes(literal);
        _pattern = pattern;
    }

    /// <returns>Null where the pattern has nothing literal of three characters: then anything could be a key.</returns>
    public static CredentialPattern? For(Regex whole)
    {
        var text = whole.ToString();
        var inner = text.StartsWith("^(?:", StringComparison.Ordinal) ? text[4..^2] : text;
        var literal = LongestLiteral(inner);
        return literal.Length < MinLiteral ? null : new CredentialPattern(literal, new Regex(inner, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking));
    }

    public bool IsIn(ReadOnlySpan<byte> body)
    {
        var from = 0;
        while (body[from..].IndexOf(_literal) is >= 0 and var found)
        {
            var at = from + found;
            var window = body[Math.Max(0, at - KeyReach)..Math.Min(body.Length, at + KeyReach)];
            if (_pattern.IsMatch(Encoding.Latin1.GetString(window)))
            {
                return true;
            }

            from = at + 1;
        }

        return false;
    }

    public bool IsIn(string text) => text.Contains(_text, StringComparison.Ordinal) && _pattern.IsMatch(text);

    /// <summary>The longest run that every match contains: outside of groups and classes, and not made optional by what follows.</summary>
    private static string LongestLiteral(string pattern)
    {
        var best = "";
        var run = new StringBuilder();
        var depth = 0;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            depth += c is '(' or '[' ? 1 : 0;
            var isLiteral = depth == 0 && (char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or ':');
            if (depth == 0 && c == '\\' && i + 1 < pattern.Length && !char.IsAsciiLetterOrDigit(pattern[i + 1]))
            {
                (isLiteral, c) = (true, pattern[++i]);
            }

            if (isLiteral)
            {
                run.Append(c);
            }
            else
            {
                // A quantifier belongs to the last character alone.
                run.Length -= c is '?' or '*' or '{' && run.Length > 0 ? 1 : 0;
                best = run.Length > best.Length ? run.ToString() : best;
                run.Clear();
            }

            depth -= c is ')' or ']' && !isLiteral ? 1 : 0;
            if (c == '|' && depth == 0)
            {
                return "";
            }
        }

        return run.Length > best.Length ? run.ToString() : best;
    }
}
