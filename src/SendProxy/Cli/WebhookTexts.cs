using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace SendProxy.Cli;

/// <summary>Stored webhook items for people and for scripts.</summary>
internal static class WebhookTexts
{
    /// <summary>A member as a cell; a hyphen where it is null or empty.</summary>
    public static string Cell(JsonElement item, string name) => item.GetProperty(name) switch
    {
        { ValueKind: JsonValueKind.Null } => "-",
        { ValueKind: JsonValueKind.Number } number => number.GetInt64().ToString(CultureInfo.InvariantCulture),
        var text => text.GetString() is { Length: > 0 } some ? some : "-",
    };

    /// <summary>One item: a member a line, then its body where it was asked for.</summary>
    public static string Item(JsonElement item)
    {
        var text = new StringBuilder();
        foreach (var member in item.EnumerateObject().Where(member => member.Name != "content"))
        {
            text.Append(CultureInfo.InvariantCulture, $"{member.Name,-12}  {Cell(item, member.Name)}\n");
        }

        if (!item.TryGetProperty("content", out var content))
        {
            return text.Append("The item does not open: its seal key is not in journal.sealKeys, or its bytes are damaged.").ToString();
        }

        var headers = string.Join(", ", content.GetProperty("headers").EnumerateArray().Select(header => header.GetString()));
        text.Append(CultureInfo.InvariantCulture, $"{"contentType",-12}  {Cell(content, "contentType")}\n{"headers",-12}  {headers}\n{"bodyBytes",-12}  {Cell(content, "bodyBytes")}");
        var body = content.GetProperty("body").GetString() ?? content.GetProperty("bodyBase64").GetString();
        return body is null ? text.ToString() : text.Append("\n\n").Append(body).ToString();
    }

    /// <summary>Items of several pages as one answer.</summary>
    public static string Json(IReadOnlyList<JsonElement> items, string? next)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartArray("items");
            foreach (var item in items)
            {
                item.WriteTo(json);
            }

            json.WriteEndArray();
            json.WriteString("next", next);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}

/// <summary>What came of a change, over all pages.</summary>
internal sealed class WebhookChangeTotal
{
    // More lines than these tell an operator nothing new.
    private const int ShownRefusals = 20;
    private readonly SortedSet<string> _released = new(StringComparer.Ordinal);
    private long _matched;
    private long _changed;

    public List<JsonElement> Refused { get; } = [];

    public void Add(JsonElement page)
    {
        _matched += page.GetProperty("matched").GetInt64();
        _changed += page.GetProperty("changed").GetInt64();
        _released.UnionWith(page.GetProperty("released").EnumerateArray().Select(name => name.GetString()!));
        Refused.AddRange(page.GetProperty("refused").EnumerateArray());
    }

    public string Text(string done, bool dryRun)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{_changed} of {_matched} items {(dryRun ? "would be" : "were")} {done}.");
        foreach (var subscriber in _released)
        {
            text.Append(CultureInfo.InvariantCulture, $"\nThe hold of subscriber {subscriber} {(dryRun ? "would be" : "was")} lifted: all its items go on.");
        }

        foreach (var item in Refused.Take(ShownRefusals))
        {
            text.Append(CultureInfo.InvariantCulture,
                $"\nnot {done}: {item.GetProperty("id").GetString()} is {item.GetProperty("state").GetString()}: {item.GetProperty("why").GetString()}");
        }

        return Refused.Count > ShownRefusals
            ? text.Append(CultureInfo.InvariantCulture, $"\nand {Refused.Count - ShownRefusals} more").ToString()
            : text.ToString();
    }

    public string Json()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("matched", _matched);
            json.WriteNumber("changed", _changed);
            json.WriteStartArray("released");
            foreach (var subscriber in _released)
            {
                json.WriteStringValue(subscriber);
            }

            json.WriteEndArray();
            json.WriteStartArray("refused");
            Refused.ForEach(item => item.WriteTo(json));
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
