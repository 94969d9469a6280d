using System.Text.RegularExpressions;

namespace SendProxy.Tests.Tidy;

/// <summary>
/// Words that only the authors understand. A type is named in the words of the RFCs, of System.Threading.RateLimiting, Polly and
/// OpenTelemetry, so that a stranger finds it by guessing its name.
/// </summary>
internal static partial class PrivateWords
{
    private static readonly HashSet<string> Banned = new(StringComparer.Ordinal)
    {
        "Answer", "Ask", "Asked", "Away", "Begun", "Book", "Books", "Children", "Exchange", "Form", "Happened", "Hooks", "Keeper",
        "Learn", "Learned", "Line", "Lot", "Moves", "Note", "Pump", "Road", "Scan", "Settler", "Shape", "Sighting", "Signs", "Span", "Taker", "Told",
    };

    /// <summary>Types that still carry such a word. A row is deleted when its type is renamed, and none is added.</summary>
    public static readonly IReadOnlyList<string> NotYetRenamed =
    [
    ];

    /// <returns>Each type with a banned word in its name, as <c>LotBook: the word Lot</c>.</returns>
    public static IEnumerable<string> In(IEnumerable<Type> types) =>
        from type in types
        let name = type.Name.Split('`')[0]
        let word = Words().Matches(name).Select(m => m.Value).FirstOrDefault(Banned.Contains)
        where word is not null
        select $"{name}: the word {word} tells a stranger nothing; docs/ARCHITECTURE.md has the terms";

    [GeneratedRegex("[A-Z][a-z0-9]*")]
    private static partial Regex Words();
}
