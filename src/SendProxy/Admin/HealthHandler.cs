using Prometheus;
using SendProxy.Hosting;

namespace SendProxy.Admin;

/// <summary>One reason for or against readiness, from the room that knows it.</summary>
internal interface IReadiness
{
    /// <returns>Null while ready; else a short reason without secrets.</returns>
    public string? NotReady();
}

/// <summary>
/// The metrics listener: <c>/metrics</c>, <c>/livez</c>, <c>/readyz</c>, <c>/startupz</c>. A sidecar's readiness is its
/// pod's: neither Redis nor a missing key takes the application out of service.
/// </summary>
internal sealed class HealthHandler(CollectorRegistry registry, IEnumerable<IReadiness> readiness, IHostApplicationLifetime lifetime)
{
    public Task HandleAsync(HttpContext context) => (context.Request.Method, context.Request.Path.Value) switch
    {
        ("GET" or "HEAD", "/metrics") => MetricsAsync(context),
        ("GET" or "HEAD", "/livez") => AnswerAsync(context, []),
        ("GET" or "HEAD", "/readyz") => AnswerAsync(context, [.. readiness.Select(r => r.NotReady()).OfType<string>()]),
        ("GET" or "HEAD", "/startupz") => AnswerAsync(
            context, lifetime.ApplicationStarted.IsCancellationRequested ? [] : ["the listeners are not up yet"]),
        _ => NotFoundAsync(context),
    };

    private static Task NotFoundAsync(HttpContext context) => Errors.Problem.WriteAsync(
        context,
        Errors.Refusal.NotSent(Errors.ProxyError.NotFound, "This port has GET /metrics, /livez, /readyz and /startupz. Applications send to the port of "
            + $"{BoundListeners.PortOf(ListenerKind.Egress, context)}, vendors to that of {BoundListeners.PortOf(ListenerKind.Webhooks, context)}."),
        Guid.NewGuid().ToString());

    private static Task AnswerAsync(HttpContext context, string[] reasons)
    {
        context.Response.StatusCode = reasons.Length == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        return AdminJson.WriteAsync(context, new HealthView(reasons.Length == 0 ? "ok" : "unavailable", reasons), AdminJson.Compact.HealthView);
    }

    private async Task MetricsAsync(HttpContext context)
    {
        context.Response.ContentType = PrometheusConstants.TextContentTypeWithVersionAndEncoding;
        await registry.CollectAndExportAsTextAsync(context.Response.Body, ExpositionFormat.PrometheusText, context.RequestAborted);
    }
}

/// <param name="Status"><c>ok</c> or <c>unavailable</c>.</param>
/// <param name="Reasons">Why it is unavailable, without secrets; empty while it is ok.</param>
internal sealed record HealthView(string Status, IReadOnlyList<string> Reasons);
