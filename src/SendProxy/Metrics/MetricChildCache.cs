using System.Collections.Concurrent;
using Prometheus;

namespace SendProxy.Metrics;

/// <summary>
/// The children of one metric, each looked up by its labels' texts once: prometheus-net compares all of them for each
/// <c>WithLabels</c>. For series of each request. Safe for threads.
/// </summary>
/// <param name="texts">The labels' values, in the metric's order; as few as a configuration makes, never a caller's.</param>
internal sealed class MetricChildCache<TLabels, TChild>(Collector<TChild> metric, Func<TLabels, string[]> texts)
    where TLabels : notnull
    where TChild : ChildBase
{
    private readonly ConcurrentDictionary<TLabels, TChild> _known = new();

    public TChild this[TLabels labels] => _known.TryGetValue(labels, out var child) ? child : _known.GetOrAdd(labels, metric.WithLabels(texts(labels)));
}
