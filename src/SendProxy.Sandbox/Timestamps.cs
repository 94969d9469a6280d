using System.Globalization;

namespace SendProxy.Sandbox;

/// <summary>Time on the wire.</summary>
internal static class Timestamps
{
    private const string Milliseconds = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    /// <summary>RFC 3339 in UTC with milliseconds.</summary>
    public static string Text(DateTimeOffset time) =>
        time.UtcDateTime.ToString(Milliseconds, CultureInfo.InvariantCulture);

    /// <summary>The same as 24 bytes; returns their number.</summary>
    public static int Write(DateTimeOffset time, Span<byte> bytes)
    {
        time.UtcDateTime.TryFormat(bytes, out var written, Milliseconds, CultureInfo.InvariantCulture);
        return written;
    }

    /// <summary>RFC 3339 in UTC with all seven digits: rates are computed from it.</summary>
    public static string Precise(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
}
