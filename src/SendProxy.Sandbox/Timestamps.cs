using System.Globalization;

namespace SendProxy.Sandbox;

/// <summary>Time on the wire.</summary>
internal static class Timestamps
{
    /// <summary>RFC 3339 in UTC with milliseconds.</summary>
    public static string Text(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>RFC 3339 in UTC with all seven digits: rates are computed from it.</summary>
    public static string Precise(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture);
}
