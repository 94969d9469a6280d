using System.Globalization;
using Microsoft.Net.Http.Headers;

namespace SendProxy.Outbox.Intake;

/// <summary>What a request prefers (RFC 7240): what of it is not known, or has parameters, is ignored, as the RFC allows.</summary>
/// <param name="RespondAsync">The answer may come before it is sent.</param>
/// <param name="Wait">How long it would wait for the real answer first; null where it does not say.</param>
internal readonly record struct Preferences(bool RespondAsync, TimeSpan? Wait)
{
    private const int LongestWaitSeconds = 3600;

    /// <summary>What an answer says of it: the header <c>Preference-Applied</c>.</summary>
    public string Applied => Wait is { } wait ? string.Create(CultureInfo.InvariantCulture, $"respond-async, wait={(long)wait.TotalSeconds}") : "respond-async";

    public static Preferences Of(HttpRequest request)
    {
        var sent = request.Headers["Prefer"];
        if (sent.Count == 0 || !NameValueHeaderValue.TryParseList([.. sent.OfType<string>()], out var list))
        {
            return default;
        }

        // Of one that stands twice the first counts (RFC 7240, 2).
        var wait = list.FirstOrDefault(p => p.Name.Equals("wait", StringComparison.OrdinalIgnoreCase));
        var seconds = int.TryParse(HeaderUtilities.RemoveQuotes(wait?.Value ?? default), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? TimeSpan.FromSeconds(Math.Min(number, LongestWaitSeconds))
            : (TimeSpan?)null;
        return new Preferences(list.Any(p => p.Name.Equals("respond-async", StringComparison.OrdinalIgnoreCase)), seconds);
    }
}
