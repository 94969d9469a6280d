using System.Text;
using System.Text.RegularExpressions;

namespace SendProxy.Upstreams.Credentials;

/// <summary>
/// Finds what looks like a credential of a vendor in a text. It must stand alone, be as long as keys are and be as mixed as what
/// is drawn at random is, so that words, identifiers and attachments are not taken for one. A search for the longest literal of
/// the pattern comes first, so that a text without one costs a vectorised scan.
/// </summary>
internal sealed class CredentialPattern
{
    private const int MinLiteral = 3;
    private const int KeyReach = 256;

    // The shortest keys of the vendors that have a preset: their prefix, and 12 or more characters drawn at random.
    private const int MinLength = 20;
    private const int MinRun = 12;
    private const int MinDistinct = 8;
    private const string Marks = "_-.:";

    // A neighbour of so many characters of base64 is a line of an attachment (RFC 2045, 6.8 has 76 in each), not a word.
    private const int MinBase64Line = 40;

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

    /// <returns>Null where the pattern has nothing literal of three characters: then anything could be a credential.</returns>
    public static CredentialPattern? For(Regex whole)
    {
        var text = whole.ToString();
        var inner = text.StartsWith("^(?:", StringComparison.Ordinal) ? text[4..^2] : text;
        var literal = LongestLiteral(inner);
        return literal.Length < MinLiteral ? null : new CredentialPattern(literal, new Regex(inner, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking));
    }

    /// <summary>In a body, where a credential is also not taken for one in the lines of a base64 attachment.</summary>
    public bool IsIn(ReadOnlySpan<byte> body)
    {
        var from = 0;
        while (body[from..].IndexOf(_literal) is >= 0 and var found)
        {
            var at = from + found;
            var start = Math.Max(0, at - KeyReach);
            var window = Encoding.Latin1.GetString(body[start..Math.Min(body.Length, at + KeyReach)]);
            if (Matches(window, isBody: true, isTarget: false))
            {
                return true;
            }

            from = at + 1;
        }

        return false;
    }

    /// <param name="isTarget">A slash parts one thing from another there; elsewhere it may belong to base64.</param>
    public bool IsIn(string text, bool isTarget = false) => text.Contains(_text, StringComparison.Ordinal) && Matches(text, isBody: false, isTarget);

    private bool Matches(string text, bool isBody, bool isTarget)
    {
        foreach (var match in _pattern.EnumerateMatches(text))
        {
            var end = match.Index + match.Length;
            if (IsMixed(text.AsSpan(match.Index, match.Length))
                && (match.Index == 0 || !IsPartOfToken(text[match.Index - 1], isTarget)) && (end == text.Length || !IsPartOfToken(text[end], isTarget))
                && !(isBody && IsInBase64Lines(text, match.Index, end)))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsPartOfToken(char c, bool isTarget) => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' || (!isTarget && c is '+' or '/');

    // What is drawn at random is one long run of letters and digits; names made of words have marks between them.
    private static bool IsMixed(ReadOnlySpan<char> token)
    {
        if (token.Length < MinLength)
        {
            return false;
        }

        foreach (var range in token.SplitAny(Marks))
        {
            if (IsRandom(token[range]))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsRandom(ReadOnlySpan<char> run)
    {
        UInt128 seen = 0;
        var digits = 0;
        foreach (var c in run)
        {
            seen |= c < 128 ? UInt128.One << c : 0;
            digits += char.IsAsciiDigit(c) ? 1 : 0;
        }

        return run.Length >= MinRun && digits >= 2 && run.Length - digits >= 2 && UInt128.PopCount(seen) >= MinDistinct;
    }

    private static bool IsInBase64Lines(string text, int start, int end)
    {
        var before = text.AsSpan(0, start).TrimEnd("\r\n");
        before = TrimEscapedLineEnd(before);
        var after = text.AsSpan(end);
        after = after.StartsWith("\\r\\n") ? after[4..] : after.StartsWith("\\n") ? after[2..] : after.TrimStart("\r\n");
        return (before.Length < start && start - before.Length <= 4 && LineLength(before, fromEnd: true) >= MinBase64Line)
            || (after.Length < text.Length - end && LineLength(after, fromEnd: false) >= MinBase64Line);
    }

    private static ReadOnlySpan<char> TrimEscapedLineEnd(ReadOnlySpan<char> text) =>
        text.EndsWith("\\r\\n") ? text[..^4] : text.EndsWith("\\n") ? text[..^2] : text;

    private static int LineLength(ReadOnlySpan<char> text, bool fromEnd)
    {
        var length = 0;
        while (length < text.Length && (text[fromEnd ? text.Length - 1 - length : length] is var c) && (char.IsAsciiLetterOrDigit(c) || c is '+' or '/' or '='))
        {
            length++;
        }

        return length;
    }

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
