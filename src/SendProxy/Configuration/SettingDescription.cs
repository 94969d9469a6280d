namespace SendProxy.Configuration;

/// <summary>What a setting is, told by the same call that reads it; the schema and docs/CONFIGURATION.md are made of these.</summary>
/// <param name="Path">Dotted, with <c>NAME</c> for a key the operator chooses and <c>[]</c> for list elements.</param>
/// <param name="Kind">What its value looks like.</param>
/// <param name="Default">As written in YAML; null where it is required or has none.</param>
/// <param name="Bounds">Both bounds in words, or the allowed words; empty where the kind says it all.</param>
/// <param name="Required">True when a configuration without it is refused.</param>
/// <param name="Doc">One sentence for the operator.</param>
internal sealed record SettingDescription(
    string Path, SettingKind Kind, string? Default, string Bounds, bool Required, string Doc)
{
    /// <summary>The allowed words of a choice; empty for other kinds.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Lower and upper bound of a whole number; null for other kinds.</summary>
    public (long Min, long Max)? Range { get; init; }
}

/// <summary>The forms a setting can have.</summary>
internal enum SettingKind
{
    /// <summary>A mapping with keys of its own.</summary>
    Section,

    /// <summary>A mapping whose keys the operator chooses.</summary>
    Map,

    /// <summary>A list of mappings.</summary>
    Sections,

    Text,
    Texts,
    Integer,
    Flag,
    Choice,
    Duration,
    Size,
    Rate,
    Share,
    Pointer,
    Url,
    File,
    Pattern,

    /// <summary>A mapping from JSON pointer to text.</summary>
    TextMap,
}
