using Prometheus;

namespace SendProxy.Outbox.Messages;

/// <summary>Series of the outbox. Labels are names of the configuration and states.</summary>
internal sealed class OutboxMetrics(IMetricFactory metrics)
{
    private static readonly OutboxState[] Ends = [OutboxState.Sent, OutboxState.Failed, OutboxState.Unknown, OutboxState.Expired, OutboxState.Discarded];

    private readonly Counter _accepted = metrics.CreateCounter("sendproxy_outbox_accepted_total", "Messages that were stored to be sent later.", ["route"]);

    private readonly Counter _ended = metrics.CreateCounter("sendproxy_outbox_ended_total", "Messages of the outbox by how they ended.", ["route", "state"]);

    private readonly Counter _retried = metrics.CreateCounter("sendproxy_outbox_retries_total", "Times that a message was put back to be tried again.", ["route"]);

    private readonly Gauge _items = metrics.CreateGauge("sendproxy_outbox_items", "Messages in the outbox.", ["route", "state"]);

    private readonly Gauge _oldest = metrics.CreateGauge("sendproxy_outbox_oldest_age_seconds", "Age of the oldest message that is not finished.");

    private readonly Gauge _inFlight = metrics.CreateGauge("sendproxy_outbox_in_flight", "Messages of the outbox on their way to an upstream.", ["upstream"]);

    private readonly Gauge _resting = metrics.CreateGauge(
        "sendproxy_outbox_resting", "1 while messages for the upstream wait because it fails: one at a time tries.", ["upstream"]);

    private readonly Histogram _age = metrics.CreateHistogram(
        "sendproxy_outbox_age_seconds", "From acceptance to the end.", ["route"],
        new HistogramConfiguration { Buckets = [0.01, 0.1, 1, 10, 60, 600, 3600, 21_600, 86_400, 259_200] });

    private readonly Counter _eventsDropped = metrics.CreateCounter(
        "sendproxy_outbox_events_dropped_total", "Ends of messages of which no event was stored, since the journal had no room.");

    /// <summary>They are 0 from now on.</summary>
    public void Created(string route)
    {
        _accepted.WithLabels(route);
        _retried.WithLabels(route);
        foreach (var end in Ends)
        {
            _ended.WithLabels(route, end.Word());
        }
    }

    public void CreatedUpstream(string upstream)
    {
        _inFlight.WithLabels(upstream);
        _resting.WithLabels(upstream);
    }

    public void Accepted(string route) => _accepted.WithLabels(route).Inc();

    public void Ended(string route, OutboxState state, TimeSpan age)
    {
        _ended.WithLabels(route, state.Word()).Inc();
        _age.WithLabels(route).Observe(age.TotalSeconds);
    }

    public void Retried(string route) => _retried.WithLabels(route).Inc();

    public void Items(string route, OutboxState state, long count) => _items.WithLabels(route, state.Word()).Set(count);

    public void OldestIs(TimeSpan age) => _oldest.Set(age.TotalSeconds);

    public void InFlight(string upstream, int count) => _inFlight.WithLabels(upstream).Set(count);

    public void Resting(string upstream, bool rests) => _resting.WithLabels(upstream).Set(rests ? 1 : 0);

    public void EventDropped() => _eventsDropped.Inc();
}
