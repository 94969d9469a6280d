using YamlDotNet.RepresentationModel;

namespace SendProxy.Configuration;

internal sealed partial class SettingsReader
{
    private static readonly string[] PresetKeys = ["preset", "name", "checked", "upstream", "source", "routes"];

    /// <returns>The preset's top level, or null and an error recorded at <c>preset</c>.</returns>
    public (SettingsReader Top, YamlMappingNode Node, SettingsSource Source)? Load(string name)
    {
        string? text;
        SettingsSource source;
        if (name.Contains('/', StringComparison.Ordinal) || name.EndsWith(".yaml", StringComparison.Ordinal))
        {
            var path = Resolve(name, _layers[0].Source);
            source = new SettingsSource(path, System.IO.Path.GetDirectoryName(path)!);
            _document.Include(path);
            text = ReadFile(path);
            if (text is null)
            {
                Fail("preset", "this preset file cannot be read; give a path relative to the configuration file");
                return null;
            }
        }
        else
        {
            source = new SettingsSource($"preset {name}", _layers[0].Source.Folder);
            text = Presets.Embedded(name);
            if (text is null)
            {
                var near = Spelling.Nearest(name, Presets.Names);
                Fail("preset", $"there is no preset {Spelling.Quoted(name)}; "
                    + (near is null ? $"built in: {string.Join(", ", Presets.Names)}" : $"did you mean {near}?"));
                return null;
            }
        }

        if (_document.Parse(text, source) is not { } node)
        {
            return null;
        }

        var top = new SettingsReader(_document, $"preset({name})", [new SettingsLayer(node, source)], "");
        Array.ForEach(PresetKeys, top.Know);
        return (top, node, source);
    }

    private static string? ReadFile(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
