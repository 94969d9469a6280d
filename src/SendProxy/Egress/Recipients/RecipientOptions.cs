using SendProxy.Configuration;

namespace SendProxy.Egress.Recipients;

/// <summary>To whom a route sends, and how often. Section <c>routes[].recipients</c>.</summary>
/// <param name="Fields">Where the recipients stand in the body; the first must be there.</param>
/// <param name="Allow"><c>+49</c>, <c>@example.com</c>; empty: everybody.</param>
internal sealed record RecipientOptions(IReadOnlyList<JsonPointer> Fields, IReadOnlyList<string> Allow, RecipientBounds Bounds)
{
    /// <param name="fields">The route's <c>recipient</c>.</param>
    /// <returns>Null where the section is not written: then the route reads nothing of a body.</returns>
    public static RecipientOptions? Read(SettingsReader route, IReadOnlyList<JsonPointer> fields)
    {
        if (route.OptionalSection("recipients", "To whom the route sends, and how often: against SMS pumping. Its requests must then be JSON.") is not { } recipients)
        {
            return null;
        }

        var allow = recipients.Texts("allow", [], "Beginnings of numbers (\"+49\") and domains (\"@example.com\") that are sent to; others get 422 recipient_not_allowed.", 1000);
        var bounds = new RecipientBounds(
            PerRecipient: recipients.Rate("perRecipient", null, "Messages to one recipient, counted in this process; more get 429 recipient_limited."),
            PerPrefix: recipients.Rate("perPrefix", null, "Messages to one range of numbers (country code and three digits) or one domain."),
            PerDay: recipients.Integer("perDay", 0, 0, 1_000_000_000, "Messages of the route in 24 hours, to whomever; 0: no bound.") is > 0 and var day ? day : null,
            MaxRecipients: (int)recipients.Integer("maxRecipients", 100_000, 100, 10_000_000,
                "Recipients, and ranges, that are counted at once. Beyond it the least used is forgotten, never one at its bound."));
        recipients.Check(fields.Count > 0, "allow", "needs recipient on the route: where in the body the recipient stands, as in recipient: /to");
        recipients.Check(bounds.Any || allow.Count > 0, "allow", "says nothing: give allow, perRecipient, perPrefix or perDay");
        return new RecipientOptions(fields, [.. allow.Select(a => Entry(recipients, a))], bounds);
    }

    /// <returns>The route's <c>recipient</c>; empty where it has none.</returns>
    public static IReadOnlyList<JsonPointer> ReadFields(SettingsReader route)
    {
        var fields = new List<JsonPointer>();
        foreach (var text in route.Texts("recipient", [],
            "JSON pointers to the recipients in the body (preset), * for each of an array: /to, /to/*. The first must be there. Read only where recipients is set.", 10))
        {
            if (JsonPointer.TryParse(text, out var pointer))
            {
                fields.Add(pointer!);
            }
            else
            {
                route.Fail("recipient", $"{Spelling.Quoted(text)} is no JSON pointer (RFC 6901); write for example /to");
            }
        }

        return fields;
    }

    private static string Entry(SettingsReader recipients, string text)
    {
        var entry = text.StartsWith('@') ? RecipientNormalizer.Domain(text[1..])
            : text.Length is > 1 and <= 16 && text[0] == '+' && text[1] != '0' && text[1..].All(char.IsAsciiDigit) ? text
            : null;
        recipients.Check(entry is not null, "allow", $"{Spelling.Quoted(text)} is neither the beginning of a number (\"+49\") nor a domain (\"@example.com\")");
        return entry ?? "";
    }
}

/// <summary>How often. Equal bounds keep their counts over a reload.</summary>
/// <param name="PerDay">For the whole route, in 24 hours.</param>
internal sealed record RecipientBounds(Rate? PerRecipient, Rate? PerPrefix, long? PerDay, int MaxRecipients)
{
    public bool Any => PerRecipient is not null || PerPrefix is not null || PerDay is not null;
}
