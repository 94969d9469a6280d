using YamlDotNet.RepresentationModel;

namespace SendProxy.Configuration;

/// <summary>
/// What is a vendor's, in YAML: embedded by name, or a file of the operator's own. Top level: <c>preset: 1</c>, <c>upstream</c>,
/// <c>source</c>, <c>routes</c>. Its mappings lie below what the operator wrote.
/// </summary>
internal static class Presets
{
    private const string Prefix = "presets/";

    /// <summary>Names of the embedded presets, sorted.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. typeof(Presets).Assembly.GetManifestResourceNames()
            .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(n => Path.GetFileNameWithoutExtension(n[Prefix.Length..]))
            .Order(StringComparer.Ordinal)];

    /// <summary>Reads <c>preset</c> of the section and puts the preset's mapping of that kind below it.</summary>
    /// <param name="kind"><c>upstream</c> or <c>source</c>.</param>
    /// <returns>A reader of the preset's top level, for its routes; null where no preset is named or it cannot be used.</returns>
    public static SettingsReader? Apply(SettingsReader section, string kind)
    {
        var name = section.Text("preset", null, $"What is the vendor's own: {string.Join(", ", Names)}, or a path to your own file.");
        if (name is null || section.Describing)
        {
            return null;
        }

        if (section.Load(name) is not { } preset)
        {
            return null;
        }

        var (top, node, source) = preset;
        top.Check(top.Integer("preset", 0, 0, 1000, "") == 1, "preset", "must be preset: 1");
        _ = (top.Text("name", null, ""), top.Text("checked", null, ""));
        if (node.Children.TryGetValue(new YamlScalarNode(kind), out var part) && part is YamlMappingNode mapping)
        {
            section.Below(mapping, source);
        }
        else
        {
            section.Fail("preset", $"the preset {Spelling.Shown(name)} says nothing of a {kind}; name another one, or write the settings out");
        }

        return top;
    }

    /// <returns>The text of an embedded preset, or null.</returns>
    public static string? Embedded(string name)
    {
        using var stream = typeof(Presets).Assembly.GetManifestResourceStream($"{Prefix}{name}.yaml");
        return stream is null ? null : new StreamReader(stream).ReadToEnd();
    }
}
