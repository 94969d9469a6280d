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
            source = new SettingsSource($"preset {name}", _layers[0].Source.Folder, IsPreset: true);
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

    /// <summary>
    /// A list of mappings that are known by their <c>name</c>: those of the operator, each over the preset's entry of the same
    /// name, so that one setting of it can be changed; then the preset's others. New ones go first, as the first match wins.
    /// </summary>
    /// <param name="preset">The preset's top level, which has a list under the same key; null where there is none.</param>
    public IReadOnlyList<T> NamedList<T>(string key, string doc, SettingsReader? preset, Func<SettingsReader, T> read)
    {
        var named = preset?.List(key, "", r => r._layers[0]) ?? [];
        var taken = new HashSet<string>(StringComparer.Ordinal);
        var own = List(key, doc, r =>
        {
            var name = NameOf(r._layers is [var first, ..] ? first : null);
            var below = name is null ? [] : named.Where(n => NameOf(n) == name).ToArray();
            r._layers = [.. r._layers, .. below];
            return (IsNew: below.Length == 0, Name: taken.Add(name ?? "") ? name : null, Value: read(r));
        });
        var others = preset?.List(key, "", r => (Name: NameOf(r._layers[0]), Value: read(r)))
            .Select(p => own.Where(o => !o.IsNew && o.Name == p.Name).Select(o => o.Value).DefaultIfEmpty(p.Value).First()) ?? [];
        return [.. own.Where(o => o.IsNew).Select(o => o.Value), .. others];
    }

    // A secret in place of its file's path would be shown wherever the path is: it is refused before anything names it.
    private bool IsPath(string key, SettingsValue value)
    {
        var isSecret = Spelling.LooksCredential(value.Text) && !System.IO.Path.Exists(Resolve(value.Text, value.Source));
        if (isSecret)
        {
            Fail(value.Node, value.Source, key,
                "names no file that exists, and looks like a secret itself (hidden): write the secret into a file of its own and its path here; a secret that stood in a configuration should be replaced at the vendor");
        }

        return !isSecret;
    }

    private static string? NameOf(SettingsLayer? layer) =>
        layer?.Node.Children.TryGetValue(new YamlScalarNode("name"), out var node) == true ? (node as YamlScalarNode)?.Value : null;

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
