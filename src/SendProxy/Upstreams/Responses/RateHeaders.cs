using System.Globalization;
using System.Net.Http.Headers;

namespace SendProxy.Upstreams.Responses;

/// <summary>What an answer says of the vendor's limit. Every member null where it is absent or cannot be read.</summary>
/// <param name="ResetBlur">How far <paramref name="ResetAfter"/> may lie from what the vendor meant: told by how it is written, never by its value.</param>
/// <param name="RetryAfter">Never negative, never zero; at most a day.</param>
/// <param name="Malformed">How many headers were there and could not be read.</param>
internal readonly record struct RateHint(
    long? Limit, long? Remaining, TimeSpan? ResetAfter, TimeSpan ResetBlur, TimeSpan? RetryAfter, int Malformed)
{
    /// <summary>The longest wait that is believed; null where nothing bounds it.</summary>
    public TimeSpan? MaxWait { get; init; }

    /// <summary>The strictest wait the answer asks for, as far as it is believed: Retry-After, or the reset where nothing remains.</summary>
    public TimeSpan? Wait => IsCapped ? MaxWait : Asked;

    /// <summary>The answer asks for a longer wait than is believed: after <see cref="Wait"/> it is worth one try.</summary>
    public bool IsCapped => Asked > MaxWait;

    private TimeSpan? Asked => (RetryAfter, Remaining == 0 ? ResetAfter : null) switch
    {
        ({ } a, { } b) => a > b ? a : b,
        var (a, b) => a ?? b,
    };
}

/// <summary>
/// Reads Retry-After (RFC 9110, 10.2.3), the vendor's X- headers, RateLimit-Limit/-Remaining/-Reset and RateLimit of the IETF
/// drafts. Times are judged against the answer's own Date, so that no clock has to agree. Garbage counts as absent, never as 0.
/// </summary>
internal static class RateHeaders
{
    /// <summary>A vendor that asks for more is taken to mean this: no wait is unbounded.</summary>
    public static readonly TimeSpan Cap = TimeSpan.FromHours(24);

    private const int StructuredMax = 1024;

    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan WholeSecond = TimeSpan.FromSeconds(1);

    // A point in time is judged by a Date: that is whole seconds, and some servers (Kestrel) write it anew only once a second.
    private static readonly TimeSpan ByDate = TimeSpan.FromSeconds(2);

    private static readonly string[] DateFormats =
        ["r", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy", "ddd MMM  d HH:mm:ss yyyy"];

    /// <returns>Whether the answer says anything that <see cref="Read"/> could read: most answers do not.</returns>
    public static bool AreIn(HttpHeadersNonValidated headers, RateHeaderNames names)
    {
        foreach (var (name, _) in headers)
        {
            if (name.StartsWith("RateLimit", StringComparison.OrdinalIgnoreCase) || Is(name, "Retry-After")
                || Is(name, names.Limit) || Is(name, names.Remaining) || Is(name, names.Reset))
            {
                return true;
            }
        }

        return false;
    }

    /// <param name="header">Yields a header's value or null.</param>
    /// <param name="now">This machine's time, used where the answer has no Date.</param>
    public static RateHint Read(Func<string, string?> header, RateHeaderNames names, DateTimeOffset now)
    {
        var date = header("Date") is { } d && TryDate(d, out var at) ? at : now;
        var malformed = 0;
        long? Count(string? name) => Take<long?>(name is null ? null : header(name), TryCount, ref malformed);
        Reset? ResetOf(string? name) => Take<Reset?>(name is null ? null : header(name), Parse, ref malformed);
        bool Parse(string text, out Reset? found) => TryReset(text, date, names.ResetMilliseconds, out found);

        var retry = Take<TimeSpan?>(header("Retry-After"), (string t, out TimeSpan? w) => TryRetryAfter(t, date, out w), ref malformed);
        var (limit, remaining, reset) = Structured(header("RateLimit"));
        limit ??= Structured(header("RateLimit-Policy")).Limit;
        var end = ResetOf(names.Reset) ?? ResetOf("RateLimit-Reset") ?? reset;
        return new RateHint(
            Limit: Count(names.Limit) ?? Count("RateLimit-Limit") ?? limit,
            Remaining: Count(names.Remaining) ?? Count("RateLimit-Remaining") ?? remaining,
            ResetAfter: end?.After,
            ResetBlur: end?.Blur ?? TimeSpan.Zero,
            RetryAfter: retry,
            Malformed: malformed)
        {
            MaxWait = names.MaxRetryAfter,
        };
    }

    /// <summary>
    /// Seconds (a fraction is rounded up to whole milliseconds) or a date in one of the three HTTP forms. Some servers write the
    /// unix time at which to come again: a number above 1e9 is read as that, since as seconds it would be thirty years.
    /// </summary>
    public static bool TryRetryAfter(string text, DateTimeOffset date, out TimeSpan? wait)
    {
        wait = null;
        text = text.Trim();
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds))
        {
            var left = UnixSeconds(seconds) is { } point ? point - (date.ToUnixTimeMilliseconds() / 1e3) : seconds;
            wait = Bounded(left);
            return wait is not null || left <= 0;
        }

        if (!TryDate(text, out var at))
        {
            return false;
        }

        // A date in the past asks for no wait: the same as no header.
        wait = at > date ? Bounded((at - date).TotalSeconds) : null;
        return true;
    }

    /// <summary>
    /// What a caller is told in place of a wait that no client should be asked for: above <paramref name="max"/>, or a point in unix
    /// time, which clients take for thirty years.
    /// </summary>
    /// <returns>Seconds; null where the text can stay as it is.</returns>
    public static string? BoundedRetryAfter(string text, DateTimeOffset date, TimeSpan max)
    {
        if (!TryRetryAfter(text, date, out var wait))
        {
            return null;
        }

        var isTooLong = double.TryParse(text.Trim(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var seconds)
            ? seconds > max.TotalSeconds
            : wait > max || wait == Cap;
        var told = wait is { } asked && asked < max ? asked : wait is null ? TimeSpan.Zero : max;
        return isTooLong ? Math.Ceiling(told.TotalSeconds).ToString(CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Seconds left, or unix seconds, ms, us, ns, told apart by size; RFC 3339 and HTTP dates.</summary>
    /// <param name="milliseconds">A number that is no point in time counts milliseconds.</param>
    private static bool TryReset(string text, DateTimeOffset date, bool milliseconds, out Reset? reset)
    {
        reset = null;
        text = text.Trim();
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            var unix = UnixSeconds(number);
            var seconds = unix is { } point ? point - (date.ToUnixTimeMilliseconds() / 1e3) : milliseconds ? number / 1000 : number;
            reset = new Reset(Bounded(seconds) ?? TimeSpan.Zero, unix is not null ? ByDate : milliseconds ? Millisecond : LastPlace(text));
            return true;
        }

        if (!TryDate(text, out var at)
            && !DateTimeOffset.TryParseExact(text, ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"],
                CultureInfo.InvariantCulture, DateTimeStyles.None, out at))
        {
            return false;
        }

        reset = new Reset(Bounded((at - date).TotalSeconds) ?? TimeSpan.Zero, ByDate);
        return true;
    }

    // A plan's window is never thirty years, and a clock never stood before 2001: above 1e9 a number is a point in time, told apart
    // by its size as seconds, milliseconds, microseconds or nanoseconds.
    private static double? UnixSeconds(double number) => number switch
    {
        >= 1e18 => number / 1e9,
        >= 1e15 => number / 1e6,
        >= 1e12 => number / 1e3,
        >= 1e9 => number,
        _ => null,
    };

    /// <summary>Both structured generations: <c>limit=100, remaining=50, reset=5</c> and <c>"default";r=50;t=30</c>.</summary>
    private static (long? Limit, long? Remaining, Reset? Reset) Structured(string? text)
    {
        long? limit = null, remaining = null;
        Reset? reset = null;
        foreach (var (name, value) in Parameters(text))
        {
            switch (name)
            {
                case "limit" or "q":
                    limit = limit is { } smallest && smallest < value ? smallest : value;
                    break;
                case "r" or "remaining":
                    remaining = remaining is { } least && least < value ? least : value;
                    break;
                case "t" or "reset":
                    var wait = Bounded(value) ?? TimeSpan.Zero;
                    reset = reset is { } longest && longest.After > wait ? longest : new Reset(wait, WholeSecond);
                    break;
            }
        }

        return (limit, remaining, reset);
    }

    // Names and whole numbers of an RFC 9651 list or dictionary; what stands in quotes is a name of the vendor's, whatever it says.
    private static List<(string Name, long Value)> Parameters(string? text)
    {
        var found = new List<(string, long)>();
        if (text is null || text.Length > StructuredMax)
        {
            return found;
        }

        var (start, quoted) = (0, false);
        for (var i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && quoted)
            {
                quoted = text[i] != '"';
                i += text[i] == '\\' ? 1 : 0;
            }
            else if (i == text.Length || text[i] is ',' or ';')
            {
                var part = text.AsSpan(start, Math.Min(i, text.Length) - start).Trim();
                var at = part.IndexOf('=');
                if (at > 0 && part[0] != '"' && long.TryParse(part[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var value))
                {
                    found.Add((part[..at].ToString(), value));
                }

                start = i + 1;
            }
            else
            {
                quoted = text[i] == '"';
            }
        }

        return found;
    }

    // 12 is told to a second, 12.5 to a tenth of it: what is read of it is whole milliseconds at best.
    private static TimeSpan LastPlace(string text)
    {
        var point = text.IndexOf('.');
        var places = point < 0 ? 0 : Math.Min(3, text.Length - point - 1);
        return TimeSpan.FromMilliseconds(Math.Pow(10, 3 - places));
    }

    private readonly record struct Reset(TimeSpan After, TimeSpan Blur);

    private static bool Is(string name, string? other) => name.Equals(other, StringComparison.OrdinalIgnoreCase);

    private delegate bool Parser<T>(string text, out T value);

    private static T? Take<T>(string? text, Parser<T> parser, ref int malformed)
    {
        if (text is null)
        {
            return default;
        }

        if (parser(text, out var value))
        {
            return value;
        }

        malformed++;
        return default;
    }

    private static bool TryCount(string text, out long? value)
    {
        var first = text.Split(',', 2)[0].Split(';', 2)[0].Trim();
        var ok = long.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        value = ok ? number : null;
        return ok;
    }

    public static bool TryDate(string text, out DateTimeOffset date) =>
        DateTimeOffset.TryParseExact(text.Trim(), DateFormats, CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out date);

    private static TimeSpan? Bounded(double seconds) =>
        seconds <= 0 || double.IsNaN(seconds) ? null
        : seconds >= Cap.TotalSeconds ? Cap
        : TimeSpan.FromMilliseconds(Math.Ceiling(seconds * 1000));
}
