using Prometheus;

namespace SendProxy.Queueing;

/// <summary>The queue's series. A name or label here is a public contract; queues are named by the program.</summary>
internal sealed class QueueMetrics(IMetricFactory metrics)
{
    private readonly Gauge _items = metrics.CreateGauge(
        "sendproxy_queue_items", "Items in the journal.", ["queue", "state"]);

    private readonly Gauge _oldest = metrics.CreateGauge(
        "sendproxy_queue_oldest_age_seconds", "Age of the oldest item that is not finished.", ["queue"]);

    private readonly Counter _evicted = metrics.CreateCounter(
        "sendproxy_queue_dedupe_evicted_total", "Dedupe keys forgotten inside their window: maxIds is too small.",
        ["queue"]);

    private readonly Counter _unopenable = metrics.CreateCounter(
        "sendproxy_queue_unopenable_total", "Items that did not open when they were claimed; each is held.", ["queue"]);

    private readonly Gauge _held = metrics.CreateGauge(
        "sendproxy_queue_unopenable_items", "Items that are held because no seal key opens them.", ["queue"]);

    /// <param name="queue">Name of the queue.</param>
    /// <param name="byState">Items by <see cref="ItemState"/>.</param>
    /// <param name="unopenable">Held ones that do not open; null where they were not counted.</param>
    public void Counted(string queue, ReadOnlySpan<long> byState, long? unopenable)
    {
        if (unopenable is { } held)
        {
            _held.WithLabels(queue).Set(held);
        }

        for (var state = 0; state < byState.Length; state++)
        {
            _items.WithLabels(queue, ((ItemState)state).WireName()).Set(byState[state]);
        }
    }

    public void OldestIs(string queue, TimeSpan age) => _oldest.WithLabels(queue).Set(age.TotalSeconds);

    public void DedupeEvicted(string queue) => _evicted.WithLabels(queue).Inc();

    public void Unopenable(string queue) => _unopenable.WithLabels(queue).Inc();
}
