using Prometheus;

namespace SendProxy.FanOut;

/// <summary>Series of the way out to subscribers. Labels are the subscriber's name and enums.</summary>
internal sealed class FanOutMetrics(IMetricFactory metrics)
{
    private static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    private readonly Counter _events = metrics.CreateCounter(
        "sendproxy_fanout_events_total", "Events fanned out: matched by some subscriber, or unmatched.", ["outcome"]);

    private readonly Counter _deliveries = metrics.CreateCounter(
        "sendproxy_deliveries_total",
        "Ends of attempts by subscriber and outcome: delivered, refused (another status), gone (410), timed_out, broken, "
        + "unreachable, address_refused, unsigned; and dead, once more, for those put aside.",
        ["subscriber", "outcome"]);

    private readonly Histogram _duration = metrics.CreateHistogram(
        "sendproxy_delivery_duration_seconds", "Of one attempt.", ["subscriber"], new HistogramConfiguration { Buckets = Seconds });

    private readonly Histogram _age = metrics.CreateHistogram(
        "sendproxy_delivery_age_seconds", "From the arrival of an event to its delivery.",
        ["subscriber"], new HistogramConfiguration { Buckets = [0.01, 0.1, 1, 10, 60, 600, 3600, 21_600, 86_400, 259_200] });

    private readonly Gauge _inFlight = metrics.CreateGauge("sendproxy_deliveries_in_flight", "Deliveries on their way.", ["subscriber"]);

    private readonly Gauge _up = metrics.CreateGauge(
        "sendproxy_subscriber_up", "0 while a local subscriber does not listen: its events wait.", ["subscriber"]);

    private readonly Gauge _gone = metrics.CreateGauge(
        "sendproxy_subscriber_gone", "1 while the subscriber is paused because it answered 410; it is asked again by the hour.", ["subscriber"]);

    public void FannedOut(bool matched) => _events.WithLabels(matched ? "matched" : "unmatched").Inc();

    public void Attempted(string subscriber, string outcome, TimeSpan duration)
    {
        _deliveries.WithLabels(subscriber, outcome).Inc();
        _duration.WithLabels(subscriber).Observe(duration.TotalSeconds);
    }

    public void Died(string subscriber) => _deliveries.WithLabels(subscriber, "dead").Inc();

    public void Delivered(string subscriber, TimeSpan age) => _age.WithLabels(subscriber).Observe(age.TotalSeconds);

    public void InFlight(string subscriber, int count) => _inFlight.WithLabels(subscriber).Set(count);

    public void Up(string subscriber, bool up) => _up.WithLabels(subscriber).Set(up ? 1 : 0);

    public void Gone(string subscriber, bool gone) => _gone.WithLabels(subscriber).Set(gone ? 1 : 0);
}
