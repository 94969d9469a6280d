namespace SendProxy.Sending.RateLimiting;

/// <summary>Who goes first when permits are short. Urgency as in RFC 9218: 0 is most urgent.</summary>
internal enum Lane
{
    /// <summary>Urgency 0 to 2: one-time passwords.</summary>
    Urgent,

    /// <summary>Urgency 3 and 4.</summary>
    Normal,

    /// <summary>Urgency 5 to 7; a fifth of the permits is left to it under load.</summary>
    Bulk,
}

/// <summary>Lanes and the words for them.</summary>
internal static class Lanes
{
    public static readonly (string Word, Lane Value)[] Words = [("normal", Lane.Normal), ("otp", Lane.Urgent), ("bulk", Lane.Bulk)];

    public static string Word(this Lane lane) => lane switch
    {
        Lane.Urgent => "otp",
        Lane.Normal => "normal",
        _ => "bulk",
    };

    /// <summary>Reads <c>u=</c> of a Priority header (RFC 9218, section 4.1).</summary>
    /// <returns>The lane for it; <paramref name="fallback"/> where there is none.</returns>
    public static Lane FromPriority(string? header, Lane fallback)
    {
        foreach (var part in header?.Split(',', StringSplitOptions.TrimEntries) ?? [])
        {
            if (part is ['u', '=', >= '0' and <= '7'])
            {
                return part[2] switch
                {
                    <= '2' => Lane.Urgent,
                    <= '4' => Lane.Normal,
                    _ => Lane.Bulk,
                };
            }
        }

        return fallback;
    }
}
