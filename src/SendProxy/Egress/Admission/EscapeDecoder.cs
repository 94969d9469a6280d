using System.Globalization;

namespace SendProxy.Egress.Admission;

/// <summary>Undoes one layer of the escapes that ASCII may have in forms (<c>%5f</c>) and in JSON (<c>\u005f</c>).</summary>
internal static class EscapeDecoder
{
    /// <returns>True where there may be some: a quick look.</returns>
    public static bool AreIn(ReadOnlySpan<byte> text) => text.Contains((byte)'%') || text.IndexOf("\\u00"u8) >= 0;

    /// <param name="plain">At least as long as <paramref name="text"/>.</param>
    /// <returns>How much of <paramref name="plain"/> was written.</returns>
    public static int Undo(ReadOnlySpan<byte> text, Span<byte> plain)
    {
        var length = 0;
        for (var i = 0; i < text.Length;)
        {
            var rest = text[i..];
            var skip = rest[0] == '%' ? 1 : rest.StartsWith("\\u00"u8) ? 4 : 0;
            if (skip > 0 && rest.Length >= skip + 2 && byte.TryParse(rest.Slice(skip, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            {
                plain[length++] = value;
                i += skip + 2;
            }
            else
            {
                plain[length++] = rest[0];
                i++;
            }
        }

        return length;
    }
}
