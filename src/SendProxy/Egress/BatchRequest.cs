using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using SendProxy.Errors;
using SendProxy.Outbox.Intake;
using SendProxy.Sending.Idempotency;

namespace SendProxy.Egress;

/// <summary>
/// One line of a batch as a request: <c>{"path": "/v1/sms/send", "body": {...}}</c>, and what may stand beside: method, headers,
/// idempotencyKey, reference, notBefore, expires, priority. A body that is a text goes out as it is.
/// </summary>
internal static class BatchRequest
{
    private static readonly (string Member, string Header)[] Headers =
    [
        ("idempotencyKey", IdempotencyKey.Header), ("reference", MessageTerms.ReferenceHeader), ("notBefore", MessageTerms.NotBeforeHeader),
        ("expires", MessageTerms.ExpiresHeader), ("priority", "Priority"),
    ];

    private static readonly HashSet<string> Members = [.. Headers.Select(h => h.Member), "path", "method", "headers", "body"];

    /// <param name="outer">The request that brought it.</param>
    /// <returns>The request, or a refusal that names the member.</returns>
    public static (HttpContext? Context, Refusal? Refusal) Read(ReadOnlyMemory<byte> line, HttpContext outer)
    {
        try
        {
            using var document = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 66, AllowDuplicateProperties = false });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || Text(root, "path") is not { } path)
            {
                return Bad("A line is an object with a path: {\"path\": \"/v1/sms/send\", \"body\": {...}}.");
            }

            if (root.EnumerateObject().FirstOrDefault(m => !Members.Contains(m.Name)) is { Value.ValueKind: not JsonValueKind.Undefined } unknown)
            {
                return Bad($"A line has no member {Configuration.Spelling.Quoted(unknown.Name)}; members are {string.Join(", ", Members.Order(StringComparer.Ordinal))}.");
            }

            return (Context(root, path, outer), null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return Bad("The line is no JSON object in UTF-8, has a member twice, or one of another type.");
        }
    }

    private static DefaultHttpContext Context(JsonElement root, string path, HttpContext outer)
    {
        var context = new DefaultHttpContext { RequestAborted = outer.RequestAborted };
        var request = context.Request;
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = path;
        request.Method = Text(root, "method")?.ToUpperInvariant() ?? HttpMethods.Post;
        request.Protocol = HttpProtocol.Http11;
        request.Host = outer.Request.Host;
        request.Headers["Prefer"] = "respond-async";
        if (root.TryGetProperty("headers", out var headers))
        {
            foreach (var header in headers.EnumerateObject())
            {
                request.Headers[header.Name] = header.Value.GetString();
            }
        }

        foreach (var (member, header) in Headers)
        {
            if (Text(root, member) is { } value)
            {
                request.Headers[header] = value;
            }
        }

        if (root.TryGetProperty("body", out var body) && body.ValueKind != JsonValueKind.Null)
        {
            var isText = body.ValueKind == JsonValueKind.String;
            var bytes = Encoding.UTF8.GetBytes(isText ? body.GetString()! : body.GetRawText());
            request.Body = new MemoryStream(bytes);
            request.ContentLength = bytes.Length;
            request.ContentType ??= isText ? "text/plain; charset=utf-8" : "application/json";
        }

        return context;
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetString() : null;

    private static (HttpContext? Context, Refusal? Refusal) Bad(string detail) => (null, Refusal.NotSent(ProxyError.BodyInvalid, detail));
}
