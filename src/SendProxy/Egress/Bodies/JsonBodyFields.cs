using System.Text.Json;
using System.Text.Unicode;
using Microsoft.Net.Http.Headers;
using SendProxy.Configuration;
using SendProxy.Errors;

namespace SendProxy.Egress.Bodies;

/// <summary>
/// A JSON body of which a route reads fields. What two parsers could read differently is refused: another charset or coding,
/// members that stand twice, a member that is on the way and stands in other spelling too (Go's parser would take it). All other
/// paths are read by <see cref="JsonPointerReader"/>, which takes what any parser takes.
/// </summary>
internal sealed class JsonBodyFields : IDisposable
{
    private const int MaxDepth = 64;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    private readonly JsonDocument _document;

    private JsonBodyFields(JsonDocument document) => _document = document;

    private enum Find
    {
        Found,
        Missing,
        WrongType,
        Ambiguous,
    }

    /// <param name="contentType">Of the request; null where it has none.</param>
    /// <param name="contentEncoding">Of the request; empty where it has none.</param>
    /// <param name="body">Must not change before <see cref="Dispose"/>.</param>
    /// <returns>Its fields, or a refusal: 415 <c>body_type_unsupported</c>, 422 <c>body_invalid</c>. Never throws.</returns>
    public static (JsonBodyFields? Fields, Refusal? Refusal) Read(string? contentType, string contentEncoding, ReadOnlyMemory<byte> body)
    {
        if (!IsJson(contentType) || contentEncoding.Length > 0)
        {
            return (null, Refusal.NotSent(ProxyError.BodyTypeUnsupported,
                "The route reads fields of the body: it must be application/json in UTF-8 without Content-Encoding."));
        }

        try
        {
            // JsonDocument looks at the encoding of a text only when the text is read.
            return Utf8.IsValid(body.Span)
                ? (new JsonBodyFields(JsonDocument.Parse(body, Strict)), null)
                : (null, Invalid("The body is not valid UTF-8."));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a name with half of a surrogate pair.
            return (null, Invalid($"The body is no valid JSON, deeper than {MaxDepth} levels, or has a member twice."));
        }
    }

    /// <summary>The texts that a pointer names.</summary>
    /// <param name="pointer">Its <c>*</c> takes each of an array, and a single value as if it were an array of it.</param>
    /// <param name="required">One must be there; otherwise absent and null are none.</param>
    /// <returns>The texts, or a refusal that names the pointer, never the value.</returns>
    public (IReadOnlyList<string> Texts, Refusal? Refusal) Texts(JsonPointer pointer, bool required)
    {
        var found = new List<string>();
        return Walk(_document.RootElement, pointer.Segments, 0, found) switch
        {
            Find.Found when found.Count > 0 || !required => (found, null),
            Find.Missing when found.Count == 0 && !required => ([], null),
            Find.WrongType => ([], Invalid($"The field {pointer} must be a text.")),
            Find.Ambiguous => ([], Invalid($"A member on the way to {pointer} stands in other spelling too.")),
            _ => ([], Invalid($"The field {pointer} is missing.")),
        };
    }

    public void Dispose() => _document.Dispose();

    private static Refusal Invalid(string detail) => Refusal.NotSent(ProxyError.BodyInvalid, detail);

    private static bool IsJson(string? contentType)
    {
        if (!MediaTypeHeaderValue.TryParse(contentType, out var type))
        {
            return false;
        }

        var json = type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (type.Type.Equals("application", StringComparison.OrdinalIgnoreCase) && type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase));
        return json && type.Parameters.All(p =>
            !p.Name.Equals("charset", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(p.Value).Equals("utf-8", StringComparison.OrdinalIgnoreCase));
    }

    private static Find Walk(JsonElement at, IReadOnlyList<string> segments, int depth, List<string> found)
    {
        if (at.ValueKind == JsonValueKind.Null)
        {
            return Find.Missing;
        }

        if (depth == segments.Count)
        {
            return Take(at, found);
        }

        var segment = segments[depth];
        return (at.ValueKind, segment) switch
        {
            (JsonValueKind.Array, "*") => Each(at, segments, depth + 1, found),
            (_, "*") => Walk(at, segments, depth + 1, found),
            (JsonValueKind.Object, _) => Member(at, segments, depth, found),
            (JsonValueKind.Array, _) when int.TryParse(segment, out var i) && i >= 0 && i < at.GetArrayLength() => Walk(at[i], segments, depth + 1, found),
            (JsonValueKind.Array, _) => Find.Missing,
            _ => Find.WrongType,
        };
    }

    private static Find Take(JsonElement at, List<string> found)
    {
        if (at.ValueKind != JsonValueKind.String)
        {
            return Find.WrongType;
        }

        try
        {
            found.Add(at.GetString()!);
            return Find.Found;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair: no text.
            return Find.WrongType;
        }
    }

    private static Find Each(JsonElement array, IReadOnlyList<string> segments, int depth, List<string> found)
    {
        foreach (var element in array.EnumerateArray())
        {
            if (Walk(element, segments, depth, found) is not Find.Found and var wrong)
            {
                return wrong == Find.Missing ? Find.WrongType : wrong;
            }
        }

        return Find.Found;
    }

    private static Find Member(JsonElement at, IReadOnlyList<string> segments, int depth, List<string> found)
    {
        JsonElement? hit = null;
        foreach (var member in at.EnumerateObject())
        {
            if (member.Name == segments[depth])
            {
                hit = member.Value;
            }
            else if (member.Name.Equals(segments[depth], StringComparison.OrdinalIgnoreCase))
            {
                return Find.Ambiguous;
            }
        }

        return hit is { } value ? Walk(value, segments, depth + 1, found) : Find.Missing;
    }
}
