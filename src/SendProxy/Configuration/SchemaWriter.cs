using System.Text.Json;
using System.Text.Json.Nodes;

namespace SendProxy.Configuration;

/// <summary>Makes config/proxy.schema.json (JSON Schema 2020-12) out of the settings' own descriptions, for editors.</summary>
internal static class SchemaWriter
{
    public static string Write(IEnumerable<SettingDescription> settings)
    {
        var root = Object();
        root["$schema"] = "https://json-schema.org/draft/2020-12/schema";
        root["title"] = "SendProxy configuration";
        foreach (var setting in settings)
        {
            var at = root;
            var parts = setting.Path.Split('.');
            foreach (var part in parts[..^1])
            {
                at = Into(at, part);
            }

            Place(at, parts[^1], setting);
        }

        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        var options = new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (var writer = new Utf8JsonWriter(buffer, options))
        {
            root.WriteTo(writer);
        }

        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private static JsonObject Object() => new() { ["type"] = "object", ["additionalProperties"] = false, ["properties"] = new JsonObject() };

    private static JsonObject Into(JsonObject at, string part)
    {
        if (part.EndsWith("[]", StringComparison.Ordinal))
        {
            return (JsonObject)((JsonObject)at["properties"]![part[..^2]]!)["items"]!;
        }

        return part == "NAME"
            ? (JsonObject)at["additionalProperties"]!
            : (JsonObject)at["properties"]![part]!;
    }

    private static void Place(JsonObject at, string name, SettingDescription setting)
    {
        var node = Of(setting);
        if (setting.Doc.Length > 0)
        {
            node["description"] = setting.Doc;
        }

        if (setting.Kind is not (SettingKind.Section or SettingKind.Map or SettingKind.Sections) && setting.Default is { } value && value != "null")
        {
            node["default"] = value;
        }

        ((JsonObject)at["properties"]!)[name] = node;
        if (setting.Required)
        {
            var required = at["required"] as JsonArray ?? [];
            required.Add((JsonNode)name);
            at["required"] = required;
        }
    }

    private static JsonObject Of(SettingDescription setting) => setting.Kind switch
    {
        SettingKind.Section when setting.Choices is [var word] => ObjectOr(word),
        SettingKind.Section => Nullable(Object()),
        SettingKind.Map => new JsonObject { ["type"] = "object", ["additionalProperties"] = Object() },
        SettingKind.Sections => new JsonObject { ["type"] = "array", ["items"] = Object() },
        SettingKind.Texts => new JsonObject { ["type"] = new JsonArray("array", "string"), ["items"] = new JsonObject { ["type"] = "string" } },
        SettingKind.TextMap => new JsonObject
        {
            ["type"] = "object",
            ["additionalProperties"] = new JsonObject { ["type"] = new JsonArray("string", "number", "boolean") },
        },
        SettingKind.Integer => new JsonObject { ["type"] = "integer", ["minimum"] = setting.Range!.Value.Min, ["maximum"] = setting.Range.Value.Max },
        SettingKind.Flag => new JsonObject { ["type"] = "boolean" },
        SettingKind.Choice => Choice(setting),
        SettingKind.Duration => Text("^[0-9]+(ms|s|m|h|d)$|\\$\\{"),
        SettingKind.Size => Text("^[0-9]+(B|KiB|MiB|GiB)$|\\$\\{"),
        SettingKind.Rate => Text("^[0-9]+/[0-9]*(s|min|m|h|d)$|\\$\\{"),
        SettingKind.Share => Text("^[0-9.]+%$|\\$\\{"),
        SettingKind.Pointer => Text("^/|\\$\\{"),
        _ => new JsonObject { ["type"] = new JsonArray("string", "number", "null") },
    };

    private static JsonObject Choice(SettingDescription setting)
    {
        // YAML 1.2's core schema reads true and false as booleans, and editors check them as such.
        var words = new JsonArray();
        foreach (var word in setting.Choices)
        {
            words.Add(word is "true" or "false" ? (JsonNode)(word == "true") : (JsonNode)word);
        }

        return new JsonObject { ["enum"] = words };
    }

    private static JsonObject Nullable(JsonObject node)
    {
        node["type"] = new JsonArray("object", "null");
        return node;
    }

    private static JsonObject ObjectOr(string word)
    {
        var node = Object();
        node["type"] = new JsonArray("object", "null", "string");
        node["pattern"] = $"^{word}$";
        return node;
    }

    private static JsonObject Text(string pattern) => new() { ["type"] = new JsonArray("string", "null"), ["pattern"] = pattern };
}
