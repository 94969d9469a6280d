using System.Buffers;
using System.CommandLine.Parsing;
using System.Globalization;

namespace SendProxy.Sandbox.Cli;

/// <summary>Reads durations: a number and ms, s, m, h or d. A number alone is refused, for it says no unit.</summary>
internal static class Durations
{
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    // Longest: what is longer is a mistake, and a timer could not count it.
    private static readonly TimeSpan Max = TimeSpan.FromDays(366);

    /// <returns>The duration, or null when the text is none or out of bounds.</returns>
    public static TimeSpan? Parse(string text)
    {
        var unitAt = text.AsSpan().IndexOfAnyExcept(Digits);
        if (unitAt <= 0 || !double.TryParse(
            text.AsSpan(0, unitAt), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }

        double? milliseconds = text[unitAt..] switch
        {
            "ms" => number,
            "s" => number * 1000,
            "m" => number * 60_000,
            "h" => number * 3_600_000,
            "d" => number * 86_400_000,
            _ => null,
        };
        return milliseconds <= Max.TotalMilliseconds ? TimeSpan.FromMilliseconds(milliseconds.Value) : null;
    }

    /// <summary>For an option of the command line.</summary>
    public static TimeSpan Parse(ArgumentResult result)
    {
        var text = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
        if (Parse(text) is { } duration) { return duration; }
        result.AddError($"'{text}' is no duration: write a number and ms, s, m, h or d, up to 366d.");
        return default;
    }
}
