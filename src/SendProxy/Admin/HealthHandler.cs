using System.Text.Json;
using Prometheus;

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
        Errors.Refusal.NotSent(Errors.ProxyError.NotFound, "This port has GET /metrics, /livez, /readyz and /startupz. Applications send to the port of listen.egress (4750), vendors to that of listen.webhooks (4751)."),
        Guid.NewGuid().ToString());

    private static async Task AnswerAsync(HttpContext context, string[] reasons)
    {
        context.Response.StatusCode = reasons.Length == 0 ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(context.Response.BodyWriter);
        json.WriteStartObject();
        json.WriteString("status", reasons.Length == 0 ? "ok" : "unavailable");
        json.WriteStartArray("reasons");
        Array.ForEach(reasons, json.WriteStringValue);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private async Task MetricsAsync(HttpContext context)
    {
        context.Response.ContentType = PrometheusConstants.TextContentTypeWithVersionAndEncoding;
        await registry.CollectAndExportAsTextAsync(context.Response.Body, ExpositionFormat.PrometheusText, context.RequestAborted);
    }
}
