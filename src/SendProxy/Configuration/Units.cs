using System.Globalization;
using System.Text.RegularExpressions;

namespace SendProxy.Configuration;

/// <summary>So many in so long, as in <c>100/s</c>.</summary>
/// <param name="Permits">At least 1.</param>
/// <param name="Per">One second, minute, hour or day, or a whole multiple: <c>1/6s</c>.</param>
internal readonly record struct Rate(int Permits, TimeSpan Per)
{
    /// <summary>Permits for each second.</summary>
    public double PerSecond => Permits / Per.TotalSeconds;

    /// <summary>As it is written: <c>100/s</c>, <c>10/min</c>, <c>1/6s</c>.</summary>
    public override string ToString() => Units.Format(Per) is var per && per is "1s" or "1h" ? $"{Permits}/{per[1]}"
        : per == "1m" ? $"{Permits}/min"
        : per is "24h" or "1d" ? $"{Permits}/d"
        : $"{Permits}/{per}";
}

/// <summary>
/// The only forms that durations, sizes, rates and shares have here. A bare number is never one of them:
/// <c>timeout: 30</c> means thirty days to .NET and thirty seconds to most readers.
/// </summary>
internal static partial class Units
{
    public const string DurationForm = "a whole number and a unit: 250ms, 5s, 15m, 24h, 3d";
    public const string SizeForm = "a whole number and a unit: 512B, 64KiB, 1MiB, 4GiB";
    public const string RateForm = "a number and a period: 100/s, 1000/min, 10/h, 500/d, 1/6s";
    public const string ShareForm = "a percentage: 0%, 2.5%, 20%";

    private static readonly (string Unit, long Ms)[] DurationUnits =
        [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    private static readonly (string Unit, long Bytes)[] SizeUnits =
        [("B", 1), ("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30)];

    public static bool TryDuration(string text, out TimeSpan value)
    {
        value = default;
        if (!TryAmount(DurationPattern().Match(text), DurationUnits, out var ms)
            || ms > TimeSpan.MaxValue.TotalMilliseconds / 2)
        {
            return false;
        }

        value = TimeSpan.FromMilliseconds(ms);
        return true;
    }

    public static bool TrySize(string text, out long bytes) => TryAmount(SizePattern().Match(text), SizeUnits, out bytes);

    public static bool TryRate(string text, out Rate rate)
    {
        rate = default;
        var match = RatePattern().Match(text);
        if (!match.Success || !int.TryParse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out var permits))
        {
            return false;
        }

        var times = match.Groups[2].Length == 0 ? "1" : match.Groups[2].Value;
        var unit = match.Groups[3].Value is "min" ? "m" : match.Groups[3].Value;
        if (permits < 1 || !TryDuration(times + unit, out var per) || per <= TimeSpan.Zero)
        {
            return false;
        }

        rate = new Rate(permits, per);
        return true;
    }

    /// <returns>0.2 for <c>20%</c>.</returns>
    public static bool TryShare(string text, out double share)
    {
        share = 0;
        if (!text.EndsWith('%')
            || !double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent))
        {
            return false;
        }

        share = percent / 100;
        return true;
    }

    /// <returns>The largest unit that shows the value whole: <c>90s</c>, <c>5m</c>, <c>24h</c>.</returns>
    public static string Format(TimeSpan value)
    {
        var ms = (long)value.TotalMilliseconds;
        foreach (var (unit, size) in DurationUnits.Reverse())
        {
            if (ms != 0 && ms % size == 0)
            {
                return $"{ms / size}{unit}";
            }
        }

        return "0s";
    }

    public static string FormatSize(long bytes)
    {
        foreach (var (unit, size) in SizeUnits.Reverse())
        {
            if (bytes != 0 && bytes % size == 0)
            {
                return $"{bytes / size}{unit}";
            }
        }

        return "0B";
    }

    private static bool TryAmount(Match match, (string Unit, long Factor)[] units, out long amount)
    {
        amount = 0;
        if (!match.Success || !long.TryParse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        var factor = Array.Find(units, u => u.Unit == match.Groups[2].Value).Factor;
        if (number > long.MaxValue / factor)
        {
            return false;
        }

        amount = number * factor;
        return true;
    }

    [GeneratedRegex(@"^([0-9]{1,18})(ms|s|m|h|d)$", RegexOptions.CultureInvariant)]
    private static partial Regex DurationPattern();

    [GeneratedRegex(@"^([0-9]{1,18})(B|KiB|MiB|GiB)$", RegexOptions.CultureInvariant)]
    private static partial Regex SizePattern();

    [GeneratedRegex(@"^([0-9]{1,9})/([0-9]{0,9})(s|min|m|h|d)$", RegexOptions.CultureInvariant)]
    private static partial Regex RatePattern();
}
