using Prometheus;

namespace SendProxy.Sending.RateLimiting;

/// <summary>Series of the limits. Labels are the limit's name and the lane.</summary>
internal sealed class LimitMetrics(IMetricFactory metrics)
{
    private static readonly double[] WaitBuckets = [0, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30];

    private readonly Histogram _waits = metrics.CreateHistogram(
        "sendproxy_limit_wait_seconds", "Time from asking for a permit to having it.",
        ["limit", "lane"], new HistogramConfiguration { Buckets = WaitBuckets });

    private readonly Counter _refused = metrics.CreateCounter(
        "sendproxy_limit_refusals_total", "Requests that got no permit, by reason.", ["limit", "lane", "reason"]);

    private readonly Gauge _waiting = metrics.CreateGauge("sendproxy_limit_waiting", "Requests that wait for a permit.", ["limit"]);

    private readonly Counter _blocked = metrics.CreateCounter(
        "sendproxy_limit_blocked_seconds_total", "Seconds for which the vendor asked to send nothing.", ["limit"]);

    public void Granted(string limit, Lane lane, double waitedSeconds) => _waits.WithLabels(limit, lane.Word()).Observe(waitedSeconds);

    public void Refused(string limit, Lane lane, PermitRefusal reason) =>
        _refused.WithLabels(limit, lane.Word(), reason == PermitRefusal.QueueFull ? "queue_full" : "wait_too_long").Inc();

    public void Waiting(string limit, int waiting) => _waiting.WithLabels(limit).Set(waiting);

    public void Blocked(string limit, TimeSpan wait) => _blocked.WithLabels(limit).Inc(Math.Max(0, wait.TotalSeconds));
}
