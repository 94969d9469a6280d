using Microsoft.AspNetCore.Http.Features;
using SendProxy.Errors;
using SendProxy.Secrets;

namespace SendProxy.Egress.Admission;

/// <summary>
/// Lets local programs in and nothing else: no web page (rebinding, cross-site requests), no protocol tricks. Everything is
/// decided from the head of the request, before its body is read.
/// </summary>
internal sealed class Guard(GuardOptions options, WatchedSecret? token)
{
    public const string TokenHeader = "SendProxy-Token";

    /// <returns>Null where the request may go on.</returns>
    public Refusal? Check(HttpContext context)
    {
        var request = context.Request;
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        return CheckProtocol(request) ?? CheckForm(request, target) ?? CheckHost(request) ?? CheckBrowser(request) ?? CheckCaller(request);
    }

    private static Refusal? CheckProtocol(HttpRequest request)
    {
        var contentType = request.ContentType;
        var upgrade = request.Headers.Upgrade.Count > 0
            || request.Headers.Connection.ToString().Contains("upgrade", StringComparison.OrdinalIgnoreCase)
            || HttpMethods.IsConnect(request.Method)
            || contentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;
        return upgrade
            ? Refusal.NotSent(ProxyError.ProtocolUnsupported, "Upgrade, CONNECT and gRPC are not passed on.")
            : null;
    }

    private static Refusal? CheckForm(HttpRequest request, string target) =>
        (TargetValidator.Check(target) ?? HeaderValidator.Check(request)) is { } wrong ? Refusal.NotSent(ProxyError.RequestMalformed, wrong) : null;

    private static Refusal? CheckBrowser(HttpRequest request) => HeaderValidator.FromBrowser(request.Headers)
        ? Refusal.NotSent(ProxyError.BrowserRefused, "The request has headers that only web pages send.")
        : null;

    private Refusal? CheckHost(HttpRequest request)
    {
        var host = request.Host.Host;
        return request.Headers.Host.Count == 1 && options.Hosts.Contains(host)
            ? null
            : Refusal.NotSent(ProxyError.HostNotAllowed, "The Host header names no host of guard.hosts.");
    }

    private Refusal? CheckCaller(HttpRequest request)
    {
        if (options.RequireHeader is { } required && request.Headers[required.Name] != required.Value)
        {
            return Refusal.NotSent(ProxyError.CallerRefused, $"guard.requireHeader asks for the header {required.Name}.");
        }

        if (token is null)
        {
            return null;
        }

        var sent = request.Headers[TokenHeader].ToString();
        if (sent.Length == 0 && request.Headers.Authorization.ToString() is { } bearer && bearer.StartsWith("Bearer ", StringComparison.Ordinal))
        {
            sent = bearer["Bearer ".Length..];
        }

        return token.Set.Current?.FixedTimeEquals(sent) == true
            ? null
            : Refusal.NotSent(ProxyError.CallerRefused, $"guard.callerToken asks for {TokenHeader} or Authorization: Bearer.");
    }
}
