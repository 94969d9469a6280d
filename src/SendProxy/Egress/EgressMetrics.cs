using System.Globalization;
using Prometheus;
using SendProxy.Errors;
using SendProxy.Metrics;
using SendProxy.Sending.Attempts;

namespace SendProxy.Egress;

/// <summary>Series of the local port. Labels are the route's name and enums.</summary>
internal sealed class EgressMetrics(IMetricFactory metrics)
{
    private static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private readonly MetricChildCache<(string Route, string StatusClass, string Code), Counter.Child> _requests = new(
        metrics.CreateCounter(
            "sendproxy_requests_total", "Requests by route, class of the status and code of the proxy's own refusal (empty for the upstream's answers).",
            ["route", "status_class", "code"]),
        x => [x.Route, x.StatusClass, x.Code]);

    private readonly MetricChildCache<string, Histogram.Child> _durations = new(
        metrics.CreateHistogram(
            "sendproxy_request_duration_seconds", "From the request's head to the end of its answer.", ["route"], new HistogramConfiguration { Buckets = Seconds }),
        route => [route]);

    private readonly Gauge _inFlight = metrics.CreateGauge("sendproxy_requests_in_flight", "Requests that are worked on, waiting ones included.");

    private readonly MetricChildCache<(string Route, string Origin), Counter.Child> _idempotency = new(
        metrics.CreateCounter("sendproxy_idempotency_keys_total", "Sends by who made their key.", ["route", "origin"]), x => [x.Route, x.Origin]);

    private readonly Counter _streamed = metrics.CreateCounter(
        "sendproxy_bodies_streamed_total", "Bodies above maxBody, which have one attempt, by what became of them: whole, too_large, incomplete, secret, or unsent where no vendor took them to their end.",
        ["route", "outcome"]);

    private readonly Counter _responseChanges = metrics.CreateCounter(
        "sendproxy_response_changes_total",
        "Parts of upstreams' responses that could not be passed on as they came: status, reason, header, body, trailer, or whole where only status and body went out.",
        ["upstream", "part"]);

    public void ResponseChanged(string upstream, ResponsePart part) => _responseChanges.WithLabels(upstream, ResponseChanges.Word(part)).Inc();

    public void Ended(string route, int status, string code, double seconds)
    {
        _requests[(route, StatusClass(status), code)].Inc();
        _durations[route].Observe(seconds);
    }

    public void InFlight(int count) => _inFlight.Set(count);

    public void Keyed(string route, string origin) => _idempotency[(route, origin)].Inc();

    public void Streamed(string route, StreamedBody body) => _streamed.WithLabels(route, body.Fault switch
    {
        ProxyError.BodyTooLarge => "too_large",
        ProxyError.BodyIncomplete => "incomplete",
        ProxyError.SecretInRequest => "secret",
        _ => body.IsWhole ? "whole" : "unsent",
    }).Inc();

    private static string StatusClass(int status) => status switch
    {
        >= 200 and < 300 => "2xx",
        >= 300 and < 400 => "3xx",
        >= 400 and < 500 => "4xx",
        >= 500 and < 600 => "5xx",
        _ => status.ToString(CultureInfo.InvariantCulture)[..1] + "xx",
    };
}
