using YamlDotNet.RepresentationModel;

namespace SendProxy.Configuration;

/// <summary>A YAML file that settings come from.</summary>
/// <param name="Name">What errors call it: the path as given, or <c>preset sendapi</c>.</param>
/// <param name="Folder">What its relative paths are relative to.</param>
internal sealed record SettingsSource(string Name, string Folder, bool IsPreset = false);

/// <summary>A mapping in one source. A reader holds several: the operator's first, then those of presets.</summary>
internal readonly record struct SettingsLayer(YamlMappingNode Node, SettingsSource Source);

/// <summary>
/// One configuration being read: collects errors, the keys that were asked for, and their descriptions.
/// Keys that no room asked for are refused at the end, so that rooms need not know of each other.
/// </summary>
internal sealed class SettingsDocument
{
    private const int MaxErrors = 100;
    private const long MaxFileBytes = 4 * 1024 * 1024;

    private readonly List<SettingsError> _errors = [];
    private readonly Dictionary<string, HashSet<string>> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<string, SettingDescription> _described = new(StringComparer.Ordinal);
    private readonly List<SettingsReader> _opened = [];
    private readonly HashSet<string> _included = new(StringComparer.Ordinal);

    /// <param name="environment">Looks a variable up for <c>${NAME}</c>.</param>
    public SettingsDocument(Func<string, string?> environment) => Environment = environment;

    public Func<string, string?> Environment { get; }

    /// <summary>True where there is no file: readers yield defaults and describe themselves.</summary>
    public bool Describing { get; private init; }

    /// <summary>The configuration file's: what default paths are relative to; null where there is no file.</summary>
    public string? Folder { get; private set; }

    public IReadOnlyList<SettingsError> Errors => _errors;

    /// <summary>Every setting that was asked for, in the order of asking.</summary>
    public IReadOnlyCollection<SettingDescription> Descriptions => _described.Values;

    /// <summary>Every file that took part: a change of one of them is a change of the configuration.</summary>
    public IReadOnlyCollection<string> Included => _included;

    public static SettingsDocument Describe() => new(_ => null) { Describing = true };

    /// <returns>A reader of the whole file; of nothing, and an error recorded, where it cannot be read or parsed.</returns>
    public SettingsReader Open(string path)
    {
        var source = new SettingsSource(path, Path.GetDirectoryName(Path.GetFullPath(path))!);
        Folder = source.Folder;
        _included.Add(Path.GetFullPath(path));
        string text;
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxFileBytes })
            {
                Add(new SettingsError(path, 0, 0, "", $"the file is larger than {Units.FormatSize(MaxFileBytes)}"));
                return Root([]);
            }

            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Add(new SettingsError(path, 0, 0, "", e is FileNotFoundException or DirectoryNotFoundException
                ? "there is no such file; name yours with --config, or make one to fill in: sendproxy check --print-example > proxy.yaml, then --config proxy.yaml"
                : Directory.Exists(path) ? $"is a directory; name the file in it, as --config {Path.Combine(path, "proxy.yaml")}"
                : "the file cannot be read; check its permissions for this user"));
            return Root([]);
        }

        return Root(Parse(text, source) is { } node ? [new SettingsLayer(node, source)] : []);
    }

    /// <returns>The document's mapping, or null and an error recorded.</returns>
    public YamlMappingNode? Parse(string text, SettingsSource source)
    {
        var (mapping, error) = YamlDocumentReader.Read(text, source.Name);
        if (error is not null)
        {
            Add(error);
        }

        return mapping;
    }

    public void Add(SettingsError error)
    {
        if (_errors.Count < MaxErrors && !_errors.Contains(error))
        {
            _errors.Add(error);
        }
    }

    /// <returns>Whether the error only follows from one that is told: what is written and refused is not missing as well.</returns>
    /// <param name="path">The section that was read.</param>
    /// <param name="key">The setting in it; null where the section is not there.</param>
    public bool IsTold(string path, string? key, string message) =>
        key is null ? HasErrorAt(path) : message.StartsWith("is required", StringComparison.Ordinal) && HasErrorAt(SettingsReader.Join(path, key));

    private bool HasErrorAt(string path) => path.Length > 0 && _errors.Exists(e =>
        e.Path.StartsWith(path, StringComparison.Ordinal) && (e.Path.Length == path.Length || e.Path[path.Length] is '.' or '['));

    /// <summary>Where the setting stands that is read now: what a defect is told at.</summary>
    public (string File, YamlNode Node)? Reading { get; set; }

    /// <returns>Where each setting stands that the operator wrote: of a mapping and of a key its first character.</returns>
    public IReadOnlyDictionary<string, SettingsPlace> Places()
    {
        var places = new Dictionary<string, SettingsPlace>(StringComparer.Ordinal);
        foreach (var reader in _opened)
        {
            foreach (var (node, source) in reader.Layers.Where(l => !l.Source.IsPreset))
            {
                foreach (var key in node.Children.Keys)
                {
                    places.TryAdd(SettingsReader.Join(reader.Path, (key as YamlScalarNode)?.Value ?? ""), SettingsPlace.Of(key, source));
                }

                places.TryAdd(reader.Path, SettingsPlace.Of(node, source));
            }
        }

        return places;
    }

    /// <summary>Records that a reader threw what it must not throw.</summary>
    public void AddDefect(string path, Exception defect) => Add(new SettingsError(
        Reading?.File ?? path, (int)(Reading?.Node.Start.Line ?? 1), (int)(Reading?.Node.Start.Column ?? 1), "",
        $"cannot be read here because of a defect in SendProxy ({defect.GetType().Name}); please report it, and write this setting otherwise"));

    public void Know(string path, string key, SettingDescription? description)
    {
        if (!_known.TryGetValue(path, out var keys))
        {
            _known[path] = keys = new HashSet<string>(StringComparer.Ordinal);
        }

        keys.Add(key);
        if (description is not null)
        {
            _described.TryAdd(description.Path, description);
        }
    }

    public void Include(string path) => _included.Add(path);

    public void Opened(SettingsReader reader) => _opened.Add(reader);

    /// <summary>Records an error for each key in an opened mapping that nobody asked for. Call once, after all rooms have read.</summary>
    public void RefuseUnknownKeys()
    {
        var seen = new HashSet<YamlNode>(ReferenceEqualityComparer.Instance);
        foreach (var reader in _opened)
        {
            foreach (var layer in reader.Layers)
            {
                if (seen.Add(layer.Node))
                {
                    Refuse(reader.Path, layer);
                }
            }
        }
    }

    private void Refuse(string path, SettingsLayer layer)
    {
        var known = _known.GetValueOrDefault(path) ?? [];
        foreach (var (node, _) in layer.Node.Children)
        {
            var key = (node as YamlScalarNode)?.Value ?? "";
            if (known.Contains(key))
            {
                continue;
            }

            var near = Spelling.Nearest(key, known);
            var advice = near is not null ? $"did you mean {near}?"
                : known.Count > 0 ? $"known here: {string.Join(", ", known.Order(StringComparer.Ordinal))}"
                : "nothing is known here";
            Add(new SettingsError(layer.Source.Name, (int)node.Start.Line, (int)node.Start.Column,
                SettingsReader.Join(path, Spelling.Shown(key)), $"unknown setting; {advice}"));
        }
    }

    private SettingsReader Root(SettingsLayer[] layers) => new(this, "", layers, "");
}
