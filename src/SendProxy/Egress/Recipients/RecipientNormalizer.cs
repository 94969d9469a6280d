using System.Globalization;

namespace SendProxy.Egress.Recipients;

/// <summary>One recipient in its one spelling.</summary>
/// <param name="Text"><c>+491701234567</c> or <c>a@example.com</c>: never logged, never in an answer.</param>
/// <param name="Group">What <c>perPrefix</c> counts together: country code and three digits, or <c>@example.com</c>.</param>
internal readonly record struct Recipient(string Text, string Group);

/// <summary>
/// Brings recipients to one spelling: numbers to E.164, addresses to lower case with the domain in ASCII (IDNA). What could be
/// read as another recipient, or as several, is none. Why it is our own: docs/decisions/0011.
/// </summary>
internal static class RecipientNormalizer
{
    // E.164: at most 15 digits with the country code; the shortest in use (Saint Helena, Niue) have 7 or 8.
    private const int MinDigits = 7;
    private const int MaxDigits = 15;
    private const int GroupDigits = 3;

    // RFC 5321, 4.5.3.1.
    private const int MaxLocal = 64;
    private const int MaxDomain = 253;
    private const int MaxInput = 400;
    private static readonly System.Buffers.SearchValues<char> Hiding = System.Buffers.SearchValues.Create("@,;:<>()[]\\\"");
    private const string LocalMarks = "!#$%&'*+-/=?^_`{|}~.";

    // E.164's country codes of two digits; 1 and 7 have one, all others three.
    private static readonly HashSet<string> TwoDigits = new(StringComparer.Ordinal)
    {
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51", "52", "53", "54", "55",
        "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
    };

    private static readonly IdnMapping Idn = new() { AllowUnassigned = false, UseStd3AsciiRules = true };

    /// <returns>Null where the text is no single number with its country code and no single address.</returns>
    public static Recipient? Normalise(string text)
    {
        if (text.Length > MaxInput)
        {
            return null;
        }

        text = text.Trim(' ');
        return text.Contains('@', StringComparison.Ordinal) ? Email(text) : Phone(text);
    }

    /// <returns><c>@example.com</c>, or null for what is no domain.</returns>
    public static string? Domain(string text)
    {
        try
        {
            // IdnMapping knows case only where there is ICU; the binary runs without.
            var ascii = text.Length is 0 or > MaxDomain ? "" : Idn.GetAscii(text.ToLowerInvariant());
            var good = ascii.Length is > 0 and <= MaxDomain && ascii.Contains('.', StringComparison.Ordinal)
                && ascii.Split('.').All(l => l.Length > 0 && l[0] != '-' && l[^1] != '-' && l.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-'));
            return good ? $"@{ascii}" : null;
        }
        catch (ArgumentException)
        {
            // What IDNA does not take.
            return null;
        }
    }

    private static Recipient? Phone(string text)
    {
        var rest = text.StartsWith('+') ? text.AsSpan(1) : text.StartsWith("00", StringComparison.Ordinal) ? text.AsSpan(2) : default;
        Span<char> digits = stackalloc char[MaxDigits];
        var length = 0;
        var parted = true;
        foreach (var c in rest)
        {
            if (char.IsAsciiDigit(c))
            {
                if (length == MaxDigits)
                {
                    return null;
                }

                digits[length++] = c;
                parted = false;
            }
            else if (parted || c is not (' ' or '-' or '.' or '/'))
            {
                // Brackets too: +49 (0)170 has one digit more for some readers than for others.
                return null;
            }
            else
            {
                parted = true;
            }
        }

        if (length < MinDigits || digits[0] == '0' || parted)
        {
            return null;
        }

        var number = $"+{digits[..length]}";
        return new Recipient(number, number[..Math.Min(number.Length, 1 + CountryDigits(number) + GroupDigits)]);
    }

    private static int CountryDigits(string number) =>
        number[1] is '1' or '7' ? 1 : TwoDigits.Contains(number.Substring(1, 2)) ? 2 : 3;

    private static Recipient? Email(string text)
    {
        // "Shop <a@example.com>": a name without marks that could hide a second address.
        if (text.EndsWith('>') && text.IndexOf('<', StringComparison.Ordinal) is >= 0 and var open)
        {
            if (text.AsSpan(0, open).ContainsAny(Hiding))
            {
                return null;
            }

            text = text[(open + 1)..^1];
        }

        var at = text.IndexOf('@', StringComparison.Ordinal);
        var local = at < 0 ? "" : text[..at];
        return local.Length is > 0 and <= MaxLocal && local.All(c => char.IsAsciiLetterOrDigit(c) || LocalMarks.Contains(c, StringComparison.Ordinal))
            && local[0] != '.' && local[^1] != '.' && !local.Contains("..", StringComparison.Ordinal) && Domain(text[(at + 1)..]) is { } domain
            ? new Recipient(local.ToLowerInvariant() + domain, domain)
            : null;
    }
}
