using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace SendProxy.Errors;

/// <summary>Writes a <see cref="Refusal"/> as <c>application/problem+json</c> (RFC 9457).</summary>
internal static class Problem
{
    public const string ContentType = "application/problem+json";
    public const string ErrorHeader = "SendProxy-Error";

    /// <returns>
    /// <c>{"type":"urn:sendproxy:error:CODE","title","status","detail","instance":"urn:uuid:ID","code","sent","retryAfterSeconds"?}</c>
    /// in UTF-8, with the member that the vendor's own clients look for.
    /// </returns>
    public static ReadOnlyMemory<byte> Body(Refusal refusal, string requestId, ErrorMember member = ErrorMember.None)
    {
        var row = ProxyErrorTable.Describe(refusal.Error);
        var buffer = new ArrayBufferWriter<byte>(384);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", $"urn:sendproxy:error:{row.Code}");
            json.WriteString("title", row.Title);
            json.WriteNumber("status", refusal.Status);
            json.WriteString("detail", refusal.Detail);
            json.WriteString("instance", $"urn:uuid:{requestId}");
            json.WriteString("code", row.Code);
            json.WriteString("sent", refusal.Sent.Word());
            if (refusal.RetryAfter is { } wait)
            {
                json.WriteNumber("retryAfterSeconds", Math.Round(Math.Max(0, wait.TotalSeconds), 3));
            }

            WriteMember(json, member, row.Code, refusal.Detail);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    /// <returns>Whole seconds, rounded up, at least 1: what Retry-After can say (RFC 9110, 10.2.3).</returns>
    public static string RetryAfterSeconds(TimeSpan wait) =>
        Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    /// <summary>Answers with the problem. Does nothing once the answer has begun.</summary>
    public static Task WriteAsync(HttpContext context, Refusal refusal, string requestId, ErrorMember member = ErrorMember.None)
    {
        var response = context.Response;
        if (response.HasStarted)
        {
            return Task.CompletedTask;
        }

        var body = Body(refusal, requestId, member);
        response.StatusCode = refusal.Status;
        response.ContentType = ContentType;
        response.ContentLength = body.Length;
        response.Headers[ErrorHeader] = ProxyErrorTable.Describe(refusal.Error).Code;
        response.Headers.CacheControl = "no-store";
        if (refusal.RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = RetryAfterSeconds(wait);
        }

        if (refusal.Allow is { } methods)
        {
            response.Headers.Allow = methods;
        }

        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask
            : response.Body.WriteAsync(body, CancellationToken.None).AsTask();
    }

    private static void WriteMember(Utf8JsonWriter json, ErrorMember member, string code, string message)
    {
        switch (member)
        {
            case ErrorMember.Text:
                json.WriteBoolean("ok", false);
                json.WriteString("error", code);
                break;
            case ErrorMember.Object:
                json.WriteStartObject("error");
                json.WriteString("type", "api_error");
                json.WriteString("code", code);
                json.WriteString("message", message);
                json.WriteEndObject();
                break;
        }
    }
}
