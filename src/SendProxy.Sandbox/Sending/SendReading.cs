using System.Runtime.InteropServices;
using System.Text.Json;
using SendProxy.Sandbox.Answers;

namespace SendProxy.Sandbox.Sending;

/// <summary>What reading a body gave: a request, or the error with the parameter that is wrong.</summary>
internal readonly record struct Reading(SendRequest? Request, ApiError? Error, string? Param)
{
    public static Reading Wrong(string param) => new(null, ApiError.InvalidParameter, param);
}

/// <summary>Reads and checks bodies of sends.</summary>
internal static class SendReading
{
    private const int TextMax = 4096;
    private const int RecipientsMax = 50;
    private static readonly byte[] NoMetadata = "{}"u8.ToArray();

    public static Reading Read(string channel, ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) { return new Reading(null, ApiError.InvalidJson, null); }
            return channel switch
            {
                "sms" => Sms(root),
                "whatsapp" => WhatsApp(root),
                _ => Email(root),
            };
        }
        catch (JsonException)
        {
            return new Reading(null, ApiError.InvalidJson, null);
        }
        catch (InvalidOperationException)
        {
            // A string with half a surrogate pair: JSON by grammar, not by content.
            return new Reading(null, ApiError.InvalidJson, null);
        }
    }

    private static Reading Sms(JsonElement root)
    {
        if (Phone(root, out var to) is not { } recipient) { return Reading.Wrong("to"); }
        if (Text(root, "from") is null) { return Reading.Wrong("from"); }
        if (Text(root, "text") is null) { return Reading.Wrong("text"); }
        return Finish(root, to, recipient, null);
    }

    private static Reading WhatsApp(JsonElement root)
    {
        if (Text(root, "session_id") is not { } session) { return Reading.Wrong("session_id"); }
        if (Phone(root, out var to) is not { } recipient) { return Reading.Wrong("to"); }
        switch (Text(root, "type"))
        {
            case "text" when Text(root, "text") is null:
                return Reading.Wrong("text");
            case "text" or "template" or "image" or "document":
                return Finish(root, to, recipient, session);
            default:
                return Reading.Wrong("type");
        }
    }

    private static Reading Email(JsonElement root)
    {
        if (Text(root, "from")?.Contains('@', StringComparison.Ordinal) != true) { return Reading.Wrong("from"); }
        if (!root.TryGetProperty("to", out var to) || to.ValueKind != JsonValueKind.Array
            || to.GetArrayLength() is 0 or > RecipientsMax)
        {
            return Reading.Wrong("to");
        }

        foreach (var one in to.EnumerateArray())
        {
            if (!IsAddress(one)) { return Reading.Wrong("to"); }
        }

        if (Text(root, "subject") is null) { return Reading.Wrong("subject"); }
        if (Text(root, "html", int.MaxValue) is null && Text(root, "text", int.MaxValue) is null)
        {
            return Reading.Wrong("html");
        }

        return Finish(root, to, to[0].GetString()!, null);
    }

    private static Reading Finish(JsonElement root, JsonElement to, string recipient, string? session)
    {
        var metadataJson = NoMetadata;
        string? intent = null;
        if (root.TryGetProperty("metadata", out var metadata) && metadata.ValueKind != JsonValueKind.Null)
        {
            if (metadata.ValueKind != JsonValueKind.Object) { return Reading.Wrong("metadata"); }
            metadataJson = JsonMarshal.GetRawUtf8Value(metadata).ToArray();
            intent = Text(metadata, "intent");
        }

        var toJson = JsonMarshal.GetRawUtf8Value(to).ToArray();
        return new Reading(new SendRequest(toJson, recipient, session, metadataJson, intent), null, null);
    }

    /// <returns>The string, or null when there is none, it is empty or too long.</returns>
    private static string? Text(JsonElement root, string name, int max = TextMax) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            && value.GetString() is { Length: > 0 } text && text.Length <= max
            ? text
            : null;

    private static bool IsAddress(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) { return false; }
        var text = value.GetString()!;
        var mark = text.LastIndexOf('@');
        return mark > 0 && mark < text.Length - 1;
    }

    // E.164: a plus, then 7 to 15 digits of which the first is not 0.
    private static string? Phone(JsonElement root, out JsonElement to)
    {
        if (!root.TryGetProperty("to", out to) || to.ValueKind != JsonValueKind.String) { return null; }
        var text = to.GetString()!;
        return text.Length is >= 8 and <= 16 && text[0] == '+' && text[1] != '0'
            && !text.AsSpan(1).ContainsAnyExceptInRange('0', '9')
            ? text
            : null;
    }
}
