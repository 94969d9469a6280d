using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace SendProxy.Configuration;

/// <summary>A scalar as it stands in a file, after substitution.</summary>
internal readonly record struct SettingsValue(string Text, bool FromEnvironment, YamlNode Node, SettingsSource Source);

/// <summary>
/// Reads one mapping of the configuration. Each call names a setting, its default, its bounds and a sentence for the docs;
/// it yields a usable value in every case and records what is wrong in the document. The operator's file goes before presets.
/// </summary>
internal sealed partial class SettingsReader
{
    private readonly SettingsDocument _document;
    private readonly string _docPath;
    private readonly SettingsReader? _parent;
    private SettingsLayer[] _layers;

    /// <param name="parent">Whose place errors are told at where this mapping is not written; null for the whole file.</param>
    public SettingsReader(SettingsDocument document, string path, SettingsLayer[] layers, string docPath, SettingsReader? parent = null)
    {
        _parent = parent;
        _document = document;
        Path = path;
        _layers = layers;
        _docPath = docPath;
        document.Opened(this);
    }

    /// <summary>Dotted, as in <c>upstreams.sendapi.retry</c>; empty for the whole file.</summary>
    public string Path { get; }

    public IReadOnlyList<SettingsLayer> Layers => _layers;

    /// <summary>True where there is no file, only the wish for descriptions: what is required is not missed.</summary>
    public bool Describing => _document.Describing;

    public static string Join(string path, string key) => path.Length == 0 ? key : $"{path}.{key}";

    /// <summary>Puts a preset's mapping below what the operator wrote.</summary>
    public void Below(YamlMappingNode node, SettingsSource source) => _layers = [.. _layers, new SettingsLayer(node, source)];

    /// <returns>A reader of a nested mapping; of nothing where it is absent.</returns>
    public SettingsReader Section(string key, string doc)
    {
        Describe(key, SettingKind.Section, null, "", false, doc);
        return Nested(key);
    }

    /// <returns>The nested mapping, or null where the operator and the presets leave it out or say <c>null</c>.</returns>
    public SettingsReader? OptionalSection(string key, string doc)
    {
        var section = Section(key, doc);
        return section._layers.Length > 0 || Describing ? section : null;
    }

    /// <returns>The nested mapping; null and true where the one <paramref name="word"/> stands in its place; null where it is absent.</returns>
    public (SettingsReader? Section, bool IsWord) SectionOrWord(string key, string word, string doc)
    {
        Describe(new SettingDescription(Join(_docPath, key), SettingKind.Section, null, $"or the word {word}", false, doc) { Choices = [word] });
        if (Find(key) is { Node: YamlScalarNode { Value: { } text } } && text == word)
        {
            return (null, true);
        }

        var section = Nested(key);
        return (section._layers.Length > 0 || Describing ? section : null, false);
    }

    /// <returns>For each key that the operator chose, in the order of the file, what <paramref name="read"/> makes of its mapping.</returns>
    public IReadOnlyDictionary<string, T> Map<T>(string key, string doc, Func<string, SettingsReader, T> read)
    {
        Describe(key, SettingKind.Map, null, "", false, doc);
        var result = new Dictionary<string, T>(StringComparer.Ordinal);
        if (Describing)
        {
            result["NAME"] = read("NAME", new SettingsReader(_document, Join(Join(Path, key), "NAME"), [], Join(Join(_docPath, key), "NAME")));
            return result;
        }

        var map = Nested(key);
        foreach (var node in map._layers.SelectMany(l => l.Node.Children.Keys))
        {
            var name = (node as YamlScalarNode)?.Value ?? "";
            map.Know(name);
            if (result.ContainsKey(name))
            {
                continue;
            }

            if (!IsName(name))
            {
                map.Fail(node, map._layers[0].Source, Spelling.Shown(name), "a name takes 1 to 64 letters, digits, - and _, and starts with a letter");
                continue;
            }

            result[name] = read(name, map.Nested(name, "NAME"));
        }

        return result;
    }

    /// <returns>What <paramref name="read"/> makes of each mapping of a list; the list of the first layer that has one.</returns>
    public IReadOnlyList<T> List<T>(string key, string doc, Func<SettingsReader, T> read, int max = 1000)
    {
        Describe(key, SettingKind.Sections, null, $"at most {max}", false, doc);
        if (Describing)
        {
            return [read(new SettingsReader(_document, $"{Join(Path, key)}[]", [], $"{Join(_docPath, key)}[]"))];
        }

        if (Find(key) is not { } found)
        {
            return [];
        }

        if (found.Node is not YamlSequenceNode sequence || sequence.Children.Count > max)
        {
            Fail(found.Node, found.Source, key, Spelling.NoMapping(found.Node, $"must be a list of at most {max} mappings: [{{ ... }}]"));
            return [];
        }

        var result = new List<T>();
        for (var i = 0; i < sequence.Children.Count; i++)
        {
            var at = $"{key}[{i}]";
            if (sequence.Children[i] is YamlMappingNode mapping)
            {
                result.Add(read(new SettingsReader(
                    _document, Join(Path, at), [new SettingsLayer(mapping, found.Source)], $"{Join(_docPath, key)}[]")));
            }
            else
            {
                Fail(sequence.Children[i], found.Source, at, Spelling.NoMapping(sequence.Children[i]));
            }
        }

        return result;
    }

    /// <returns>Null where it is not written: then the program derives it, as <paramref name="doc"/> says.</returns>
    public long? OptionalInteger(string key, long min, long max, string doc)
    {
        var bounds = $"{min} to {max}";
        Describe(new SettingDescription(Join(_docPath, key), SettingKind.Integer, "null", bounds, false, doc) { Range = (min, max) });
        return Has(key) ? Parse<long>(key, min, long.TryParse, v => v >= min && v <= max, $"a whole number from {bounds}") : null;
    }

    /// <returns>Bytes; null where it is not written: then the program derives it, as <paramref name="doc"/> says.</returns>
    public long? OptionalSize(string key, string min, string max, string doc)
    {
        Describe(key, SettingKind.Size, "null", $"{min} to {max}", false, doc);
        var (low, high) = (SizeOf(min), SizeOf(max));
        return Has(key) ? Parse(key, low, Units.TrySize, v => v >= low && v <= high, $"{Units.SizeForm}; from {min} to {max}") : null;
    }

    /// <summary>Records an error at a setting that was read: a relation between settings that does not hold. What is refused already is not missing as well.</summary>
    public void Check(bool holds, string key, string message)
    {
        if (!holds && !Describing && !_document.IsTold(Path, _layers.Length > 0 ? key : null, message))
        {
            Fail(key, message);
        }
    }

    /// <summary>Records an error at a setting, or at the section around it where it is not written.</summary>
    public void Fail(string key, string message)
    {
        if (Find(key) is { } found)
        {
            Fail(found.Node, found.Source, key, message);
        }
        else if (Nearest() is { } layer)
        {
            Fail(layer.Node, layer.Source, key, message);
        }
        else
        {
            _document.Add(new SettingsError("configuration", 0, 0, Join(Path, key), message));
        }
    }

    /// <returns>The text of everything below this mapping, presets included: equal for equal settings, so that a reload keeps what did not change.</returns>
    public string Fingerprint()
    {
        var text = new System.Text.StringBuilder();
        foreach (var layer in _layers)
        {
            Append(text, layer.Node, layer.Source);
            text.Append('\n');
        }

        return text.ToString();
    }

    /// <returns>True when the operator or a preset wrote the key with a value.</returns>
    public bool Has(string key) => Find(key) is not null;

    /// <returns>True when the operator wrote the key with a value, not a preset.</returns>
    public bool IsOwn(string key) => Find(key) is { } found && !found.Source.IsPreset;

    /// <returns>An absolute path: relative ones are relative to the file that names them.</returns>
    private static string Resolve(string path, SettingsSource source) =>
        System.IO.Path.GetFullPath(path, source.Folder);

    private void Append(System.Text.StringBuilder text, YamlNode node, SettingsSource source)
    {
        switch (node)
        {
            case YamlScalarNode scalar:
                text.Append('"').Append(Substitution.Apply(scalar.Value ?? "", p => Resolve(p, source), _document.Environment).Value).Append('"');
                break;
            case YamlSequenceNode sequence:
                text.Append('[');
                foreach (var child in sequence.Children)
                {
                    Append(text, child, source);
                }

                text.Append(']');
                break;
            case YamlMappingNode mapping:
                text.Append('{');
                foreach (var (key, value) in mapping.Children)
                {
                    Append(text, key, source);
                    text.Append(':');
                    Append(text, value, source);
                }

                text.Append('}');
                break;
        }
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= 64 && char.IsAsciiLetter(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');

    private static bool IsNull(YamlNode node) =>
        node is YamlScalarNode { Style: ScalarStyle.Plain, Value: "" or "null" or "~" };

    private SettingsReader Nested(string key, string? docKey = null)
    {
        var layers = new List<SettingsLayer>();
        foreach (var layer in _layers)
        {
            if (!layer.Node.Children.TryGetValue(new YamlScalarNode(key), out var node))
            {
                continue;
            }

            if (node is YamlMappingNode mapping)
            {
                layers.Add(layer with { Node = mapping });
                continue;
            }

            if (!IsNull(node))
            {
                Fail(node, layer.Source, key, Spelling.NoMapping(node));
            }

            break;
        }

        return new SettingsReader(_document, Join(Path, key), [.. layers], Join(_docPath, docKey ?? key), this);
    }

    private SettingsLayer? Nearest() => _layers.Length > 0 ? _layers[0] : _parent?.Nearest();

    private (YamlNode Node, SettingsSource Source)? Find(string key)
    {
        foreach (var layer in _layers)
        {
            if (layer.Node.Children.TryGetValue(new YamlScalarNode(key), out var node))
            {
                _document.Reading = (layer.Source.Name, node);
                return IsNull(node) ? null : (node, layer.Source);
            }
        }

        return null;
    }

    private void Fail(YamlNode node, SettingsSource source, string key, string message) =>
        _document.Add(new SettingsError(source.Name, (int)node.Start.Line, (int)node.Start.Column, Join(Path, key), message));

    private void Know(string key) => _document.Know(Path, key, null);

    private void Describe(string key, SettingKind kind, string? fallback, string bounds, bool required, string doc) =>
        Describe(new SettingDescription(Join(_docPath, key), kind, fallback, bounds, required, doc));

    private void Describe(SettingDescription description)
    {
        var key = description.Path[(_docPath.Length == 0 ? 0 : _docPath.Length + 1)..];
        _document.Know(Path, key, description);
    }
}
