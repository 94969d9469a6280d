using System.Text;
using System.Text.RegularExpressions;

namespace SendProxy.Upstreams;

/// <summary>
/// Finds what looks like a vendor's live key inside a caller's request. A search for the pattern's literal beginning comes
/// first, so that a request without one costs a vectorised scan.
/// </summary>
internal sealed class KeySearch
{
    private const int MinPrefix = 4;
    private readonly byte[] _prefix;
    private readonly Regex _pattern;

    private KeySearch(string prefix, Regex pattern)
    {
        _prefix = Encoding.ASCII.GetBytes(prefix);
        _pattern = pattern;
    }

    /// <returns>Null where the pattern begins with nothing literal: then anything could be a key.</returns>
    public static KeySearch? For(Regex whole)
    {
        var text = whole.ToString();
        var inner = text.StartsWith("^(?:", StringComparison.Ordinal) ? text[4..^2] : text;
        var literal = new string([.. inner.TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')]);
        return literal.Length < MinPrefix ? null : new KeySearch(literal, new Regex(inner, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking));
    }

    public bool IsIn(ReadOnlySpan<byte> body)
    {
        var at = body.IndexOf(_prefix);
        return at >= 0 && _pattern.IsMatch(Encoding.Latin1.GetString(body[at..]));
    }

    public bool IsIn(string text) => text.Length >= _prefix.Length && _pattern.IsMatch(text);
}
