using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace SendProxy.Tests.Packaging;

/// <summary>As much of JSON Schema as values.schema.json uses, so that a test can name each value that it refuses. helm checks the same.</summary>
internal static class ValuesSchema
{
    public static IEnumerable<string> Check(YamlNode node, JsonElement schema, string path = "")
    {
        var type = TypeOf(node);
        if (schema.TryGetProperty("type", out var types) && !Allowed(types).Any(t => t == type || (t == "number" && type == "integer")))
        {
            return [$"{path}: is {type}, must be {string.Join(" or ", Allowed(types))}"];
        }

        return node switch
        {
            YamlMappingNode map => Properties(map, schema, path),
            YamlSequenceNode list when schema.TryGetProperty("items", out var items) => list.Children.SelectMany((c, i) => Check(c, items, $"{path}[{i}]")),
            YamlScalarNode scalar => Scalar(scalar.Value ?? "", schema, path),
            _ => [],
        };
    }

    private static IEnumerable<string> Properties(YamlMappingNode map, JsonElement schema, string path)
    {
        var known = schema.TryGetProperty("properties", out var properties) ? properties : default;
        foreach (var (key, value) in map.Children.Select(c => (((YamlScalarNode)c.Key).Value!, c.Value)))
        {
            if (known.ValueKind == JsonValueKind.Object && known.TryGetProperty(key, out var property))
            {
                foreach (var finding in Check(value, property, $"{path}.{key}"))
                {
                    yield return finding;
                }
            }
            else if (schema.TryGetProperty("additionalProperties", out var more))
            {
                foreach (var finding in more.ValueKind == JsonValueKind.False ? [$"{path}.{key}: is unknown"] : Check(value, more, $"{path}.{key}"))
                {
                    yield return finding;
                }
            }
        }

        foreach (var name in schema.TryGetProperty("required", out var required) ? Allowed(required) : [])
        {
            if (map.At(name) is null)
            {
                yield return $"{path}.{name}: is required";
            }
        }
    }

    private static IEnumerable<string> Scalar(string value, JsonElement schema, string path)
    {
        if (schema.TryGetProperty("enum", out var words) && !Allowed(words).Contains(value))
        {
            yield return $"{path}: is none of {string.Join(", ", Allowed(words))}";
        }

        if (schema.TryGetProperty("pattern", out var pattern) && !Regex.IsMatch(value, pattern.GetString()!))
        {
            yield return $"{path}: does not match {pattern}";
        }

        if (schema.TryGetProperty("minimum", out var minimum) && long.Parse(value, CultureInfo.InvariantCulture) is var number
            && (number < minimum.GetInt64() || number > schema.GetProperty("maximum").GetInt64()))
        {
            yield return $"{path}: is out of bounds";
        }
    }

    private static IEnumerable<string> Allowed(JsonElement words) =>
        words.ValueKind == JsonValueKind.Array ? words.EnumerateArray().Select(w => w.GetString()!) : [words.GetString()!];

    private static string TypeOf(YamlNode node) => node switch
    {
        YamlMappingNode => "object",
        YamlSequenceNode => "array",
        YamlScalarNode { Style: ScalarStyle.Plain, Value: "true" or "false" } => "boolean",
        YamlScalarNode { Style: ScalarStyle.Plain, Value: { } text } when long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out _) => "integer",
        _ => "string",
    };
}
