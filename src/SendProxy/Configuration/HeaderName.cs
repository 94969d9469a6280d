namespace SendProxy.Configuration;

/// <summary>The form of a header's name in a configuration.</summary>
internal static class HeaderName
{
    private const int MaxLength = 100;

    /// <returns>True for a token (RFC 9110, 5.6.2) of letters, digits and the marks that are common in names.</returns>
    public static bool Fits(string name) =>
        name.Length is > 0 and <= MaxLength && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
