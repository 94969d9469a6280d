using Prometheus;
using SendProxy.Metrics;

namespace SendProxy.Hosting;

/// <summary>Series of accepted connections. Labels are the listeners' names.</summary>
internal sealed class ConnectionMetrics
{
    private readonly MetricChildCache<ListenerKind, Gauge.Child> _open;
    private readonly Counter _refused;
    private readonly Counter _displaced;

    public ConnectionMetrics(IMetricFactory metrics)
    {
        _open = new(metrics.CreateGauge("sendproxy_connections", "Connections that are open, by listener.", ["listener"]), kind => [Word(kind)]);
        _refused = metrics.CreateCounter(
            "sendproxy_connections_refused_total", "Connections that were closed at once: the listener was full of requests at work.", ["listener"]);
        _displaced = metrics.CreateCounter(
            "sendproxy_connections_displaced_total", "Connections that were closed since the listener was full and they waited longest without a request.", ["listener"]);
        foreach (var kind in Enum.GetValues<ListenerKind>())
        {
            _open[kind].Set(0);
            _refused.WithLabels(Word(kind)).Inc(0);
            _displaced.WithLabels(Word(kind)).Inc(0);
        }
    }

    public void Open(ListenerKind kind, int count) => _open[kind].Set(count);

    public void Refused(ListenerKind kind) => _refused.WithLabels(Word(kind)).Inc();

    public void Displaced(ListenerKind kind) => _displaced.WithLabels(Word(kind)).Inc();

    private static string Word(ListenerKind kind) => kind switch
    {
        ListenerKind.Egress => "egress",
        ListenerKind.Webhooks => "webhooks",
        ListenerKind.Metrics => "metrics",
        _ => "admin",
    };
}
