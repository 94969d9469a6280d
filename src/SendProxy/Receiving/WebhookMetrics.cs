using Prometheus;
using SendProxy.Metrics;

namespace SendProxy.Receiving;

/// <summary>Series of the webhooks listener. Labels are the source's name and enums.</summary>
internal sealed class WebhookMetrics(IMetricFactory metrics)
{
    private static readonly double[] Seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly MetricChildCache<(string Source, string Verdict), Counter.Child> _webhooks = new(
        metrics.CreateCounter(
            "sendproxy_webhooks_total",
            "Webhooks by source (empty where there is none of the name) and verdict: accepted, duplicate, challenged, sender_left "
            + "or the reason of the refusal.",
            ["source", "verdict"]),
        x => [x.Source, x.Verdict]);

    private readonly MetricChildCache<(string Source, string Outcome), Counter.Child> _events = new(
        metrics.CreateCounter(
            "sendproxy_webhook_events_total", "Events of accepted webhooks by what became of them: stored or duplicate.", ["source", "outcome"]),
        x => [x.Source, x.Outcome]);

    private readonly MetricChildCache<string, Histogram.Child> _ack = new(
        metrics.CreateHistogram(
            "sendproxy_webhook_ack_seconds", "From the head of a webhook to its acknowledgement, which comes after it is stored.",
            ["source"], new HistogramConfiguration { Buckets = Seconds }),
        source => [source]);

    public void Ended(string source, string verdict) => _webhooks[(source, verdict)].Inc();

    public void Acknowledged(string source, int stored, int duplicates, TimeSpan duration)
    {
        _events[(source, "stored")].Inc(stored);
        _events[(source, "duplicate")].Inc(duplicates);
        _ack[source].Observe(duration.TotalSeconds);
    }
}
