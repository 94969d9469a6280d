using System.Buffers;
using SendProxy.Upstreams.Responses;

namespace SendProxy.Egress.Admission;

/// <summary>
/// Checks a request's headers beyond what the web server checks. What two servers could read as two requests, two lengths or two
/// values is refused. What HTTP libraries send by default always passes: docs/CLIENTS.md.
/// </summary>
internal static class HeaderValidator
{
    // RFC 9110, 5.6.2. Kestrel takes more: control characters and separators too.
    private static readonly SearchValues<char> Token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    // RFC 9110, 5.5, with obs-text, which is UTF-8 or Latin-1: one char a byte here, and sent as it came.
    private static readonly SearchValues<char> Value =
        SearchValues.Create([.. Enumerable.Range(' ', '~' - ' ' + 1).Concat(Enumerable.Range(0x80, 0x80)).Select(c => (char)c), '\t']);

    private static readonly string[] Single =
        ["Content-Type", "Content-Encoding", "Authorization", "SendProxy-Token", "SendProxy-Timeout"];

    // With these a server takes another method or path than those that the route was found by (Rack, Symfony, IIS).
    private static readonly string[] Overrides =
        ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"];

    /// <returns>Null for a good head, else what is wrong with it.</returns>
    public static string? Check(HttpRequest request) => CheckFraming(request) ?? CheckHeaders(request.Headers) ?? CheckOnes(request.Headers);

    /// <summary>Whether the request has a body that its method usually has not (RFC 9110, 9.3.1).</summary>
    public static bool HasUnusualBody(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        && (request.Headers.TransferEncoding.Count > 0 || request.Headers.ContentLength > 0);

    private static string? CheckFraming(HttpRequest request)
    {
        var coding = request.Headers.TransferEncoding;
        if (coding.Count > 0)
        {
            // RFC 9112, 6.1 and 6.3. Kestrel renames the Content-Length beside it, and takes "gzip, chunked" as if it were chunked.
            if (request.Headers.ContentLength is not null || request.Headers.ContainsKey("X-Content-Length"))
            {
                return "The request has both Content-Length and Transfer-Encoding.";
            }

            if (coding.Count != 1 || !Is(coding.ToString(), "chunked") || HttpProtocol.IsHttp10(request.Protocol))
            {
                return "Transfer-Encoding must be chunked, once, on HTTP/1.1.";
            }
        }

        return null;
    }

    private static string? CheckHeaders(IHeaderDictionary headers)
    {
        foreach (var (name, values) in headers)
        {
            if (name.AsSpan().ContainsAnyExcept(Token))
            {
                return "The name of a header has a character that does not belong there.";
            }

            // Gateways that speak CGI or WSGI read Transfer_Encoding as Transfer-Encoding.
            if (name.Contains('_', StringComparison.Ordinal) && !HeaderNames.GoesUpstream(name.Replace('_', '-')))
            {
                return "The name of a header has _ where servers could read - and take it for another.";
            }

            for (var i = 0; i < values.Count; i++)
            {
                if (values[i].AsSpan().ContainsAnyExcept(Value))
                {
                    return "The value of a header has a control character.";
                }
            }
        }

        return null;
    }

    private static string? CheckOnes(IHeaderDictionary headers)
    {
        foreach (var name in Single)
        {
            if (headers[name].Count > 1)
            {
                return $"The header {name} stands twice.";
            }
        }

        foreach (var name in Overrides)
        {
            if (headers.ContainsKey(name))
            {
                return $"The header {name} would change what the request asks for.";
            }
        }

        return headers.Expect is { Count: > 0 } expect && !(expect.Count == 1 && Is(expect.ToString(), "100-continue"))
            ? "Expect must be 100-continue, once."
            : null;
    }

    private static bool Is(string text, string word) => text.Equals(word, StringComparison.OrdinalIgnoreCase);
}
