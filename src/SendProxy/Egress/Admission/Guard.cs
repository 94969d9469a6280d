using Microsoft.AspNetCore.Http.Features;
using SendProxy.Configuration;
using SendProxy.Errors;
using SendProxy.Secrets;

namespace SendProxy.Egress.Admission;

/// <summary>
/// Lets local programs in and nothing else: no web page (DNS rebinding, cross-site requests), no request that two servers could
/// read differently. Everything is decided from the head of the request, before its body is read.
/// </summary>
/// <param name="maxTarget">Characters of a request's path and query.</param>
internal sealed class Guard(GuardOptions options, WatchedSecret? token, int maxTarget)
{
    public const string TokenHeader = "SendProxy-Token";

    /// <returns>Null where the request may go on.</returns>
    public Refusal? Check(HttpContext context)
    {
        var request = context.Request;
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        return CheckProtocol(request) ?? CheckForm(request, target) ?? CheckHost(request) ?? CheckSender(request);
    }

    // An offer of another protocol may be ignored (RFC 9110, 7.8): h2c and TLS/1.2 are what the JDK's HttpClient, curl --http2 and
    // Apache's client offer by default, and they go on with HTTP/1.1. A WebSocket is no offer: its client can do nothing without it.
    private static Refusal? CheckProtocol(HttpRequest request)
    {
        var what = HttpMethods.IsConnect(request.Method) ? "CONNECT"
            : request.Headers.Upgrade.ToString().Contains("websocket", StringComparison.OrdinalIgnoreCase) ? "WebSocket"
            : request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true ? "gRPC"
            : null;
        return what is null ? null : Refusal.NotSent(ProxyError.ProtocolUnsupported, $"{what} is not passed on; the local port takes plain HTTP/1.1 requests.");
    }

    /// <returns>Null where nobody could read the request differently.</returns>
    public Refusal? CheckForm(HttpContext context) => CheckForm(context.Request, context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget);

    private Refusal? CheckForm(HttpRequest request, string target) =>
        (TargetValidator.Check(target, maxTarget) ?? HeaderValidator.Check(request)) is { } wrong ? Refusal.NotSent(ProxyError.RequestMalformed, wrong) : null;

    private Refusal? CheckHost(HttpRequest request)
    {
        var host = request.Host.Host;
        if (request.Headers.Host.Count == 1 && options.Hosts.Contains(host))
        {
            return null;
        }

        var known = string.Join(", ", options.Hosts.Select(h => $"\"{h}\""));
        return Refusal.NotSent(ProxyError.HostNotAllowed, host.Length == 0
            ? $"The request has no Host header; it must name one of guard.hosts ({known})."
            : $"The Host header names {Spelling.Quoted(host)}, which is not in guard.hosts. If this is the name that your application calls the proxy by, write guard: {{ hosts: [{known}, {Spelling.Quoted(host)}] }}.");
    }

    /// <summary>Who sends it: a caller that shows the token is no web page, whatever headers it has.</summary>
    private Refusal? CheckSender(HttpRequest request)
    {
        var browser = options.AllowBrowsers ? null : BrowserDetector.Find(request);
        if (browser is not null && (token is null || !HasToken(request)))
        {
            return Refusal.NotSent(ProxyError.BrowserRefused,
                $"The request has the header {browser}, which only browsers send; a web page must not be able to spend your key. "
                + $"A program that sends it on purpose shows guard.callerToken in {TokenHeader}, or is let in by guard.browsers: allow.");
        }

        if (options.RequireHeader is { } required && request.Headers[required.Name] != required.Value)
        {
            return Refusal.NotSent(ProxyError.CallerRefused,
                $"Each request must carry the header {Spelling.Quoted($"{required.Name}: {required.Value}")} (guard.requireHeader); add it to your application's HTTP client.");
        }

        return token is null || HasToken(request)
            ? null
            : Refusal.NotSent(ProxyError.CallerRefused,
                $"Each request must carry the token of guard.callerToken, as {TokenHeader}: <token> or Authorization: Bearer <token>.");
    }

    private bool HasToken(HttpRequest request)
    {
        var sent = request.Headers[TokenHeader].ToString();
        if (sent.Length == 0 && request.Headers.Authorization.ToString() is { } bearer && bearer.StartsWith("Bearer ", StringComparison.Ordinal))
        {
            sent = bearer["Bearer ".Length..];
        }

        return token?.Set.Current?.FixedTimeEquals(sent) == true;
    }
}
