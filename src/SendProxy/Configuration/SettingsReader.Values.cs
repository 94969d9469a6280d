using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace SendProxy.Configuration;

// The scalar settings: one method a kind. Each describes the setting, finds it, parses it, checks its bounds.
internal sealed partial class SettingsReader
{
    private const int MaxTextLength = 4096;

    private delegate bool Parser<T>(string text, out T value);

    /// <returns>The text, or the default. Null only when the default is.</returns>
    public string? Text(string key, string? fallback, string doc, int max = MaxTextLength)
    {
        Describe(key, SettingKind.Text, fallback ?? "null", $"at most {max} characters", false, doc);
        return Value(key) is { } value && WithinLength(key, value, max) ? value.Text : fallback;
    }

    /// <returns>The text; empty and an error recorded where it is missing.</returns>
    public string RequiredText(string key, string doc, string example)
    {
        Describe(key, SettingKind.Text, null, "", true, doc);
        return Required(key, example) is { } value && WithinLength(key, value, MaxTextLength) ? value.Text : "";
    }

    public long Integer(string key, long fallback, long min, long max, string doc)
    {
        var bounds = $"{min} to {max}";
        Describe(new SettingDescription(Join(_docPath, key), SettingKind.Integer, $"{fallback}", bounds, false, doc) { Range = (min, max) });
        return Parse<long>(key, fallback, long.TryParse, v => v >= min && v <= max, $"a whole number from {bounds}");
    }

    public bool Flag(string key, bool fallback, string doc)
    {
        Describe(key, SettingKind.Flag, fallback ? "true" : "false", "true or false", false, doc);
        return Parse(key, fallback, TryFlag, _ => true, "true or false");
    }

    public TimeSpan Duration(string key, string fallback, string min, string max, string doc)
    {
        Describe(key, SettingKind.Duration, fallback, $"{min} to {max}", false, doc);
        var (low, high) = (DurationOf(min), DurationOf(max));
        return Parse(key, DurationOf(fallback), Units.TryDuration, v => v >= low && v <= high, $"{Units.DurationForm}; from {min} to {max}");
    }

    public TimeSpan? OptionalDuration(string key, string min, string max, string doc)
    {
        Describe(key, SettingKind.Duration, "null", $"{min} to {max}", false, doc);
        return Has(key) ? Duration(key, min, min, max, doc) : null;
    }

    /// <returns>Bytes.</returns>
    public long Size(string key, string fallback, string min, string max, string doc)
    {
        Describe(key, SettingKind.Size, fallback, $"{min} to {max}", false, doc);
        var (low, high) = (SizeOf(min), SizeOf(max));
        return Parse(key, SizeOf(fallback), Units.TrySize, v => v >= low && v <= high, $"{Units.SizeForm}; from {min} to {max}");
    }

    /// <returns>Null only when the default is and the setting is not there.</returns>
    public Rate? Rate(string key, string? fallback, string doc)
    {
        Describe(key, SettingKind.Rate, fallback ?? "null", "1/365d to 1000000/s", false, doc);
        Rate? absent = fallback is not null && Units.TryRate(fallback, out var rate) ? rate : null;
        return Parse(key, absent, TryRate, v => v!.Value.PerSecond <= 1_000_000 && v.Value.Per.TotalDays <= 365, Units.RateForm);
    }

    /// <returns>0.2 for <c>20%</c>.</returns>
    public double Share(string key, string fallback, string doc, double max = 1)
    {
        Describe(key, SettingKind.Share, fallback, $"0% to {max * 100}%", false, doc);
        _ = Units.TryShare(fallback, out var absent);
        return Parse(key, absent, Units.TryShare, v => v >= 0 && v <= max, $"{Units.ShareForm}; from 0% to {max * 100}%");
    }

    /// <param name="words">Each allowed word and what it means, the default first.</param>
    public T Choice<T>(string key, string doc, params (string Word, T Value)[] words)
    {
        var allowed = string.Join(", ", words.Select(w => w.Word));
        Describe(new SettingDescription(Join(_docPath, key), SettingKind.Choice, words[0].Word, allowed, false, doc)
        {
            Choices = [.. words.Select(w => w.Word)],
        });

        bool TryWord(string text, out T value)
        {
            var at = Array.FindIndex(words, w => w.Word == text);
            value = at < 0 ? words[0].Value : words[at].Value;
            return at >= 0;
        }

        return Parse(key, words[0].Value, TryWord, _ => true, $"one of: {allowed}");
    }

    /// <returns>Null where it is not written and there is no default.</returns>
    public JsonPointer? Pointer(string key, string? fallback, string doc)
    {
        Describe(key, SettingKind.Pointer, fallback ?? "null", "RFC 6901", false, doc);
        _ = JsonPointer.TryParse(fallback ?? "", out var absent);
        return Parse(key, absent, JsonPointer.TryParse, _ => true, "a JSON pointer (RFC 6901): /data/id");
    }

    /// <returns>An absolute path; null where it is not written and there is no default.</returns>
    public string? FilePath(string key, string? fallback, string doc)
    {
        Describe(key, SettingKind.File, fallback ?? "null", "relative to the configuration file", false, doc);
        return Value(key) is { } value ? IsPath(key, value) ? Resolve(value.Text, value.Source) : Resolve("hidden", value.Source)
            : fallback is not null && _document.Folder is { } folder ? System.IO.Path.GetFullPath(fallback, folder) : fallback;
    }

    /// <returns>An absolute URI, and whether an environment variable took part; null where it is missing or wrong.</returns>
    public (Uri? Uri, bool FromEnvironment) Url(string key, bool required, string doc, string example, params string[] schemes)
    {
        Describe(key, SettingKind.Url, required ? null : "null", string.Join(", ", schemes), required, doc);
        var value = required ? Required(key, example) : Value(key);
        if (value is not { } found)
        {
            return (null, false);
        }

        if (Uri.TryCreate(found.Text, UriKind.Absolute, out var uri) && schemes.Contains(uri.Scheme) && uri.UserInfo.Length == 0)
        {
            return (uri, found.FromEnvironment);
        }

        Fail(found.Node, found.Source, key, $"{Spelling.Quoted(found.Text)} is no address of this form; write for example {example}, without a user or password");
        return (null, found.FromEnvironment);
    }

    /// <returns>A regular expression for whole values, without backtracking, so that no value can stall it.</returns>
    public Regex? Pattern(string key, string? fallback, string doc)
    {
        Describe(key, SettingKind.Pattern, fallback ?? "null", ".NET regular expression, whole value", false, doc);
        _ = TryPattern(fallback ?? "", out var absent);
        return Parse(key, absent, TryPattern, _ => true, "a regular expression without look-around and back-references");
    }

    /// <returns>The list, of one element where a plain text is written; the default where it is absent.</returns>
    public IReadOnlyList<string> Texts(string key, string[] fallback, string doc, int max = 100)
    {
        Describe(key, SettingKind.Texts, $"[{string.Join(", ", fallback)}]", $"at most {max}", false, doc);
        if (Find(key) is not { } found)
        {
            return fallback;
        }

        var nodes = found.Node switch
        {
            YamlScalarNode => [found.Node],
            YamlSequenceNode sequence => sequence.Children,
            _ => null,
        };
        if (nodes is null || nodes.Count > max || nodes.Any(n => n is not YamlScalarNode))
        {
            Fail(found.Node, found.Source, key, $"must be a list of at most {max} texts: [a, b]");
            return fallback;
        }

        return [.. nodes.Select((n, i) => Substituted(n, found.Source, $"{key}[{i}]")?.Text).OfType<string>()];
    }

    /// <returns>A mapping of texts whose keys are the operator's: <c>{ /error/code: quota_exceeded }</c>.</returns>
    public IReadOnlyDictionary<string, string> TextMap(string key, string doc)
    {
        Describe(key, SettingKind.TextMap, "{}", "", false, doc);
        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        if (Describing)
        {
            return result;
        }

        var map = Nested(key);
        foreach (var (node, value) in map._layers.Take(1).SelectMany(l => l.Node.Children))
        {
            var name = (node as YamlScalarNode)?.Value ?? "";
            map.Know(name);
            if (map.Substituted(value, map._layers[0].Source, name) is { } text)
            {
                result[name] = text.Text;
            }
        }

        return result;
    }

    private static bool TryFlag(string text, out bool value) => (value = text == "true") || text == "false";

    private static bool TryRate(string text, out Rate? rate)
    {
        var ok = Units.TryRate(text, out var value);
        rate = ok ? value : null;
        return ok;
    }

    private static bool TryPattern(string text, out Regex? pattern)
    {
        pattern = null;
        if (text.Length == 0)
        {
            return false;
        }

        try
        {
            pattern = new Regex($"^(?:{text})$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
            return true;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    private static TimeSpan DurationOf(string text) =>
        Units.TryDuration(text, out var value) ? value : throw new ArgumentException($"{text} is no duration", nameof(text));

    private static long SizeOf(string text) =>
        Units.TrySize(text, out var value) ? value : throw new ArgumentException($"{text} is no size", nameof(text));

    private T Parse<T>(string key, T fallback, Parser<T> parser, Func<T, bool> within, string wanted)
    {
        if (Value(key) is not { } value)
        {
            return fallback;
        }

        if (parser(value.Text, out var parsed) && within(parsed))
        {
            return parsed;
        }

        Fail(value.Node, value.Source, key, $"{Spelling.Quoted(value.Text)} does not fit; write {wanted}");
        return fallback;
    }

    private bool WithinLength(string key, SettingsValue value, int max)
    {
        if (value.Text.Length <= max)
        {
            return true;
        }

        Fail(value.Node, value.Source, key, $"is longer than {max} characters");
        return false;
    }

    private SettingsValue? Required(string key, string example)
    {
        var value = Value(key);
        if (value is { Text.Length: > 0 })
        {
            return value;
        }

        Check(Find(key) is not null && value is null, key, $"is required; write for example {key}: {example}");
        return null;
    }

    private SettingsValue? Value(string key)
    {
        if (Find(key) is not { } found)
        {
            return null;
        }

        return Substituted(found.Node, found.Source, key);
    }

    private string Included(string path, SettingsSource source)
    {
        var full = Resolve(path, source);
        _document.Include(full);
        return full;
    }

    private SettingsValue? Substituted(YamlNode node, SettingsSource source, string key)
    {
        if (node is not YamlScalarNode { Value: { } text })
        {
            Fail(node, source, key, "must be a single value, not a list or mapping");
            return null;
        }

        var (value, fromEnvironment, error) = Substitution.Apply(text, p => Included(p, source), _document.Environment);
        if (error is null)
        {
            return new SettingsValue(value, fromEnvironment, node, source);
        }

        Fail(node, source, key, error);
        return null;
    }
}
