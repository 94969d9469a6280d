using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace SendProxy.Tests.Egress.Admission;

/// <summary>A request as the web server hands it over.</summary>
internal static class AdmissionRequest
{
    /// <summary>A good POST with more headers, or others: each is a name and a value; a name twice has both values.</summary>
    public static DefaultHttpContext Post(params (string Name, string Value)[] headers) => Of("POST", "/v1/sms/send", headers);

    public static DefaultHttpContext Of(string method, string target, params (string Name, string Value)[] headers)
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Request.Protocol = "HTTP/1.1";
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget = target;
        if (!headers.Any(h => h.Name == "Host"))
        {
            context.Request.Headers.Host = "localhost:4750";
        }

        foreach (var (name, value) in headers)
        {
            context.Request.Headers.Append(name, value);
        }

        return context;
    }

    /// <param name="lines">As in a request: <c>A: 1\nA: 2</c>.</param>
    public static (string Name, string Value)[] Headers(string lines) =>
        [.. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(": ", 2)).Select(p => (p[0], p.Length > 1 ? p[1] : ""))];
}
