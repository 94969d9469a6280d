using YamlDotNet.RepresentationModel;

namespace SendProxy.Tests.Packaging;

/// <summary>Short ways through YAML; what is not there is null or empty.</summary>
internal static class Yaml
{
    public static IReadOnlyList<YamlMappingNode> Documents(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Select(d => d.RootNode).OfType<YamlMappingNode>()];
    }

    public static YamlNode? At(this YamlNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            node = node is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(name), out var child) ? child : null;
        }

        return node;
    }

    public static string? Text(this YamlNode? node, params ReadOnlySpan<string> path) => (node.At(path) as YamlScalarNode)?.Value;

    public static IReadOnlyList<YamlNode> Items(this YamlNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) is YamlSequenceNode list ? [.. list.Children] : [];

    public static IReadOnlyDictionary<string, string> Map(this YamlNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) is YamlMappingNode map
            ? map.Children.ToDictionary(p => ((YamlScalarNode)p.Key).Value!, p => (p.Value as YamlScalarNode)?.Value ?? "", StringComparer.Ordinal)
            : new Dictionary<string, string>(StringComparer.Ordinal);
}
